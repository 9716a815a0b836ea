//! LLM spans whose content follows from the seed and their number, and prices of their models: so the oracle knows what is to
//! be stored of each span, and what it must cost.

use std::collections::BTreeMap;
use std::pin::pin;

use bytes::Bytes;
use harness::command;
use harness::telemetry::{SECOND, attribute, now, spans, text};
use llm_observatory_core::Signal;
use llm_observatory_genai::READING_VERSION;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use time::OffsetDateTime;
use tokio_postgres::Client;
use tokio_stream::StreamExt as _;

use crate::oracle::Request;
use crate::run::Random;

/// Spans of a trace: an agent, a step that is no LLM span, and calls. `LATE` comes in a request of its own, if at all.
pub(crate) const SPANS: u64 = 10;
/// LLM spans of a trace that came whole.
pub(crate) const LLM_SPANS: u64 = SPANS - 1;
const AGENT: u64 = 1;
const STEP: u64 = 2;
/// A call around `INNER`, which tells its tokens again.
const OUTER: u64 = 9;
const INNER: u64 = 10;
/// A call inside `AROUND`.
const LATE: u64 = 11;
const AROUND: u64 = 8;
/// Numbers of spans that belong to one trace. An id of zero would be none.
const NUMBERS: u64 = 16;

/// The days of the spans; calls come on those between the first and the last one while a run goes on.
pub(crate) const DAYS: u64 = 4;
const DAY: u64 = 86_400 * SECOND;

/// Provider and model.
pub(crate) const MODELS: [(&str, &str); 4] =
    [("openai", "gpt-4o"), ("acme", "orca-1"), ("acme", "orca-2"), ("acme", "unknown")];

/// Billionths of the currency for a million tokens of input, of cached input, and of output.
pub(crate) type Rates = [i128; 3];

/// The prices that hold: currency and rates, by the place of the model in [`MODELS`] and the day from which they hold.
#[derive(Debug, Clone)]
pub(crate) struct Tariff(BTreeMap<(usize, u64), (&'static str, Rates)>);

impl Tariff {
    /// What the catalogue knows.
    pub(crate) fn catalogue() -> Self {
        Self(BTreeMap::from([((0, 0), ("USD", [2_500_000_000, 1_250_000_000, 10_000_000_000]))]))
    }

    /// Sets a price, here and in the database by `observatory prices set`.
    pub(crate) async fn set(
        &mut self,
        calls: &Calls,
        url: &str,
        (model, day): (usize, u64),
        currency: &'static str,
        rates: Rates,
    ) {
        let (provider, name) = MODELS[model];
        let decimal = |rate: i128| format!("{}.{:09}", rate / 1_000_000_000, rate % 1_000_000_000);
        let [input, cached, output] = rates.map(decimal);
        let rates_told =
            [format!("input={input}"), format!("cache_read={cached}"), format!("output={output}")];
        let from = if day == 0 { "1970-01-01".to_owned() } else { calls.date(day) };
        let mut set = vec!["prices", "set", "--database-url", url, "--currency", currency, provider, name];
        set.extend(rates_told.iter().map(String::as_str));
        set.push("--from");
        set.push(&from);
        command::run(&set, &[]).await.says(0, &["1 set"]);
        self.0.insert((model, day), (currency, rates));
    }

    /// What a call costs, in billionths, rounded once; `None` if there is no price.
    fn cost(&self, model: usize, day: u64, [input, cached, output]: [i64; 3]) -> Option<(i64, &'static str)> {
        let (_, (currency, rates)) = self.0.range((model, 0)..=(model, day)).next_back()?;
        let counts = [input - cached, cached, output].map(i128::from);
        let millionths: i128 = counts.iter().zip(rates).map(|(count, rate)| count * rate).sum();
        Some((((millionths + 500_000) / 1_000_000) as i64, currency))
    }
}

/// The calls of one test.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    seed: u64,
    /// Midnight before the first span.
    begin: u64,
    /// Traces that are stored before anything else happens. Some of them are on the first and on the last day.
    traces: u64,
}

/// What the oracle found of one model: calls, billable ones, and the sum of what the latter cost in US dollars.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) calls: i64,
    pub(crate) billable: i64,
    pub(crate) cost: i128,
}

impl Calls {
    /// The days end with yesterday.
    pub(crate) fn of(seed: u64, traces: u64) -> Self {
        Self { seed, begin: (now() / DAY - DAYS) * DAY, traces }
    }

    /// Traces that are stored before anything else happens.
    pub(crate) fn traces(&self) -> u64 {
        self.traces
    }

    /// The date of a day, as commands take it.
    pub(crate) fn date(&self, day: u64) -> String {
        let begin = OffsetDateTime::from_unix_timestamp(((self.begin + day * DAY) / SECOND) as i64);
        begin.unwrap().date().to_string()
    }

    /// The day of a trace.
    pub(crate) fn day(&self, trace: u64) -> u64 {
        match trace % 16 {
            0 if trace < self.traces => 0,
            1 if trace < self.traces => DAYS - 1,
            _ => 1 + trace % (DAYS - 2),
        }
    }

    /// Whether a run from the second day to the last one is about the trace.
    pub(crate) fn is_inside(&self, trace: u64) -> bool {
        (1..DAYS - 1).contains(&self.day(trace))
    }

    /// The request with these traces.
    pub(crate) fn whole(&self, traces: impl IntoIterator<Item = u64>) -> Request {
        let numbers = |trace: u64| (AGENT..=SPANS).map(move |place| trace * NUMBERS + place);
        self.request(traces.into_iter().flat_map(numbers))
    }

    /// The request with the late calls of these traces.
    pub(crate) fn late(&self, traces: impl IntoIterator<Item = u64>) -> Request {
        self.request(traces.into_iter().map(|trace| trace * NUMBERS + LATE))
    }

    fn request(&self, numbers: impl Iterator<Item = u64>) -> Request {
        let bytes = spans("shop", numbers.map(|number| self.span(number)).collect()).encode_to_vec();
        Request { signal: Signal::Traces, ids: Vec::new(), bytes: Bytes::from(bytes) }
    }

    fn span(&self, number: u64) -> Span {
        let (trace, place) = (number / NUMBERS, number % NUMBERS);
        let start = self.begin + self.day(trace) * DAY + self.random(trace).within(0..20) * 3_600 * SECOND;
        let start = start + trace % 3_600 * SECOND + place * 1_000_000;
        let parent = match place {
            AGENT => None,
            INNER => Some(OUTER),
            LATE => Some(AROUND),
            _ => Some(AGENT),
        };
        Span {
            trace_id: self.trace_id(trace),
            span_id: number.to_be_bytes().to_vec(),
            parent_span_id: parent
                .map_or(Vec::new(), |place| (trace * NUMBERS + place).to_be_bytes().to_vec()),
            name: format!("span {number}"),
            start_time_unix_nano: start,
            end_time_unix_nano: start + 1_000_000,
            attributes: self.attributes(number),
            ..Span::default()
        }
    }

    fn attributes(&self, number: u64) -> Vec<KeyValue> {
        let operation = match number % NUMBERS {
            STEP => return vec![text("http.route", "/ask")],
            AGENT => "invoke_agent",
            _ => "chat",
        };
        let count = |key, count| attribute(key, Value::IntValue(count));
        let ((provider, model), [input, cached, output]) = (MODELS[self.model(number)], self.tokens(number));
        vec![
            text("gen_ai.operation.name", operation),
            text("gen_ai.provider.name", provider),
            text("gen_ai.request.model", model),
            count("gen_ai.usage.input_tokens", input),
            count("gen_ai.usage.cache_read.input_tokens", cached),
            count("gen_ai.usage.output_tokens", output),
        ]
    }

    /// Ids as real ones: their order says nothing of when their spans came.
    fn trace_id(&self, trace: u64) -> Vec<u8> {
        let mut random = self.random(trace);
        [random.next().to_be_bytes(), random.next().to_be_bytes()].concat()
    }

    fn model(&self, number: u64) -> usize {
        self.random(number).within(0..MODELS.len() as u64) as usize
    }

    /// Input, of which so many were cached, and output.
    fn tokens(&self, number: u64) -> [i64; 3] {
        let mut random = self.random(number);
        let input = random.within(1..20_000);
        [input, random.within(0..input + 1), random.within(1..3_000)].map(|count| count as i64)
    }

    fn random(&self, number: u64) -> Random {
        Random::new(&[self.seed, number])
    }

    /// Compares each stored LLM span with what it should be, and sums what is stored of each model. `traces` came whole, `late`
    /// is whether the late call of a trace came; `prices` are those of a day.
    pub(crate) async fn audit<'t>(
        &self,
        client: &Client,
        traces: u64,
        late: impl Fn(u64) -> bool,
        prices: impl Fn(u64) -> &'t Tariff,
    ) -> [Sums; MODELS.len()] {
        let mut found = vec![false; (traces * NUMBERS) as usize];
        let mut sums = [Sums::default(); MODELS.len()];
        let mut rows = pin!(client.query_raw(STORED, [] as [i64; 0]).await.unwrap());
        while let Some(row) = rows.try_next().await.unwrap() {
            let number = u64::from_be_bytes(row.get::<_, &[u8]>(0).try_into().unwrap());
            let (trace, place) = (number / NUMBERS, number % NUMBERS);
            let is_sent = place != STEP && (place <= SPANS || place == LATE && late(trace));
            assert!(trace < traces && is_sent, "{number} was not sent");
            assert!(!std::mem::replace(&mut found[number as usize], true), "{number} is stored twice");
            let is_call = place != AGENT;
            let billable = is_call && place != OUTER && !(place == AROUND && late(trace));
            let (day, model, tokens) = (self.day(trace), self.model(number), self.tokens(number));
            let cost = prices(day).cost(model, day, tokens).filter(|_| is_call);
            let (id, (_, name)) = (hex::encode(self.trace_id(trace)), MODELS[model]);
            let reading = format!("otel_genai {READING_VERSION} {name} {tokens:?}");
            let told = format!("{id} {reading} {is_call} {billable} {cost:?}");
            assert_eq!(stored(&row), told, "{number}");
            let sums = &mut sums[model];
            sums.calls += i64::from(is_call);
            sums.billable += i64::from(billable);
            sums.cost += cost
                .filter(|(_, currency)| billable && *currency == "USD")
                .map_or(0, |(amount, _)| i128::from(amount));
        }
        let sent: u64 = (0..traces).map(|trace| LLM_SPANS + u64::from(late(trace))).sum();
        assert_eq!(found.iter().filter(|found| **found).count() as u64, sent, "some are missing");
        sums
    }
}

const STORED: &str = "
    SELECT span_id, encode(uuid_send(trace_id), 'hex'), dialect, reading_version, request_model, input_tokens, cache_read_tokens,
           output_tokens, is_call, billable, cost_nanos, coalesce(cost_currency, 'USD')
    FROM trace_llm_spans";

/// What is stored, as the audit tells it.
fn stored(row: &tokio_postgres::Row) -> String {
    let (trace, dialect, version, model) =
        (row.get::<_, &str>(1), row.get::<_, &str>(2), row.get::<_, i16>(3), row.get::<_, &str>(4));
    let tokens = [5, 6, 7].map(|column| row.get::<_, Option<i64>>(column).unwrap_or(-1));
    let (is_call, billable) = (row.get::<_, bool>(8), row.get::<_, bool>(9));
    let cost = row.get::<_, Option<i64>>(10).map(|amount| (amount, row.get::<_, &str>(11)));
    format!("{trace} {dialect} {version} {model} {tokens:?} {is_call} {billable} {cost:?}")
}
