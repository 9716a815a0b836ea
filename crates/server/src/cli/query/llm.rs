//! `observatory query llm`: the latest LLM spans, or one with its conversation.

use clap::{Args, ValueEnum};
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::{ListLlmSpansRequest, LlmReading, LlmSpan, LlmSpanOrder};
use tonic::transport::Channel;

use super::pages::all_pages;
use super::period::{NOTHING_FITS, Period};
use super::show::{duration_nanos, milliseconds, moment, money, name, nanos_of, number};
use super::span;
use crate::cli::failure::Failure;
use crate::cli::moment::Moment;
use crate::cli::output::{Format, print_json, print_list};
use crate::cli::table::Table;

/// Which LLM spans to show.
#[derive(Debug, Args)]
pub(super) struct Llm {
    /// Only spans of this trace, from whatever time unless --from tells one: 32 hexadecimal digits.
    #[arg(long)]
    trace: Option<String>,
    /// The span to show with its conversation: 16 hexadecimal digits.
    #[arg(long, requires = "trace", conflicts_with_all = ["Filters", "Ranges", "Period"])]
    span: Option<String>,
    #[command(flatten)]
    period: Period,
    /// What comes first.
    #[arg(long, value_enum, default_value_t = By::Time)]
    by: By,
    /// The smallest first: the oldest, shortest, cheapest.
    #[arg(long)]
    ascending: bool,
    /// Most spans to show, at least 1.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    ranges: Ranges,
}

/// What the spans have in common.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
struct Filters {
    /// Only spans of this kind: llm, embedding, agent, workflow, tool, retriever, reranker ...
    #[arg(long)]
    kind: Option<String>,
    /// Only spans of this provider.
    #[arg(long)]
    provider: Option<String>,
    /// Only spans of this model.
    #[arg(long)]
    model: Option<String>,
    /// Only spans of this service.
    #[arg(long)]
    service: Option<String>,
    /// Only spans of this session.
    #[arg(long)]
    session: Option<String>,
    /// Only spans of this end user.
    #[arg(long)]
    user: Option<String>,
    /// Only spans with this status: unset, ok or error.
    #[arg(long)]
    status: Option<String>,
    /// Only billable calls (true), or only other spans (false).
    #[arg(long, value_name = "TRUTH")]
    billable: Option<bool>,
    /// Only calls that told no tokens (true), or only other spans (false).
    #[arg(long, value_name = "TRUTH")]
    usage_missing: Option<bool>,
    /// Only runs of this tool.
    #[arg(long)]
    tool: Option<String>,
    /// Only spans of this agent.
    #[arg(long)]
    agent: Option<String>,
    /// Only spans of this managed prompt.
    #[arg(long)]
    prompt: Option<String>,
    /// Only spans with this tag.
    #[arg(long)]
    tag: Option<String>,
}

/// Ranges of numbers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ranges")]
struct Ranges {
    /// Only spans with so many input tokens or more.
    #[arg(long, value_name = "TOKENS")]
    min_input: Option<i64>,
    /// Only spans with so many input tokens or fewer.
    #[arg(long, value_name = "TOKENS")]
    max_input: Option<i64>,
    /// Only spans with so many output tokens or more.
    #[arg(long, value_name = "TOKENS")]
    min_output: Option<i64>,
    /// Only spans with so many output tokens or fewer.
    #[arg(long, value_name = "TOKENS")]
    max_output: Option<i64>,
    /// Only spans with so many tokens or more.
    #[arg(long, value_name = "TOKENS")]
    min_tokens: Option<i64>,
    /// Only spans with so many tokens or fewer.
    #[arg(long, value_name = "TOKENS")]
    max_tokens: Option<i64>,
    /// Only spans that cost so many US dollars or more.
    #[arg(long, value_name = "DOLLARS", value_parser = nanodollars)]
    min_cost: Option<i64>,
    /// Only spans that cost so many US dollars or less.
    #[arg(long, value_name = "DOLLARS", value_parser = nanodollars)]
    max_cost: Option<i64>,
    /// Only spans that took so many milliseconds or more.
    #[arg(long, value_name = "MILLISECONDS")]
    min_duration: Option<u32>,
    /// Only spans that took so many milliseconds or less.
    #[arg(long, value_name = "MILLISECONDS")]
    max_duration: Option<u32>,
}

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// The newest.
    Time,
    /// The longest.
    Duration,
    /// The dearest.
    Cost,
    /// Those with the most tokens.
    Tokens,
}

impl Llm {
    pub(super) async fn run(
        self,
        mut client: LlmServiceClient<Channel>,
        format: Format,
    ) -> Result<(), Failure> {
        if let (Some(trace), Some(id)) = (&self.trace, &self.span) {
            return span::span(client, trace.clone(), id.clone(), format).await;
        }
        let limit = self.limit;
        let mut request = self.request()?;
        let spans = all_pages(limit, async |page_size, page_token| {
            (request.page_size, request.page_token) = (page_size, page_token);
            let page = client.list_llm_spans(request.clone()).await?.into_inner();
            Ok((page.spans, page.next_page_token))
        })
        .await?;
        match format {
            Format::Json => print_json(&spans.iter().map(span::json).collect::<Vec<_>>()),
            Format::Table => print_list(&table(&spans), NOTHING_FITS),
        }
    }

    fn request(self) -> Result<ListLlmSpansRequest, Failure> {
        let milliseconds = |milliseconds: u32| prost_types::Duration {
            seconds: i64::from(milliseconds / 1_000),
            nanos: (milliseconds % 1_000 * 1_000_000).cast_signed(),
        };
        let (start, end_time) = match &self.trace {
            Some(_) => self.period.range_from(Moment::BEGINNING)?,
            None => self.period.range()?,
        };
        let order = match self.by {
            By::Time => LlmSpanOrder::StartTime,
            By::Duration => LlmSpanOrder::Duration,
            By::Cost => LlmSpanOrder::Cost,
            By::Tokens => LlmSpanOrder::Tokens,
        };
        let Self { filters, ranges, .. } = self;
        Ok(ListLlmSpansRequest {
            start_time: Some(start),
            end_time,
            kind: filters.kind.unwrap_or_default(),
            provider: filters.provider.unwrap_or_default(),
            model: filters.model.unwrap_or_default(),
            service: filters.service.unwrap_or_default(),
            session_id: filters.session.unwrap_or_default(),
            user_id: filters.user.unwrap_or_default(),
            status: filters.status.unwrap_or_default(),
            billable: filters.billable,
            usage_missing: filters.usage_missing,
            tool_name: filters.tool.unwrap_or_default(),
            agent_name: filters.agent.unwrap_or_default(),
            prompt_name: filters.prompt.unwrap_or_default(),
            tag: filters.tag.unwrap_or_default(),
            trace_id: self.trace.unwrap_or_default(),
            min_input_tokens: ranges.min_input,
            max_input_tokens: ranges.max_input,
            min_output_tokens: ranges.min_output,
            max_output_tokens: ranges.max_output,
            min_total_tokens: ranges.min_tokens,
            max_total_tokens: ranges.max_tokens,
            min_cost_nanos: ranges.min_cost,
            max_cost_nanos: ranges.max_cost,
            min_duration: ranges.min_duration.map(milliseconds),
            max_duration: ranges.max_duration.map(milliseconds),
            order_by: order.into(),
            ascending: self.ascending,
            page_size: 0,
            page_token: String::new(),
        })
    }
}

/// Dollars as billionths: `0.0035`.
fn nanodollars(text: &str) -> Result<i64, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || "expected an amount of dollars with at most nine decimals, like 0.0035".to_owned();
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(wrong());
    }
    format!("{whole}{fraction:0<9}").parse().map_err(|_| wrong())
}

fn table(spans: &[LlmSpan]) -> Table {
    let columns = [
        "start (UTC)",
        "duration",
        "kind",
        "model",
        "input",
        "output",
        "cost",
        "status",
        "service",
        "span",
        "span id",
        "trace id",
    ];
    let mut table = Table::new(&columns)
        .whole(&["span id", "trace id"])
        .below("trace id", &["span id", "service"])
        .below("kind", &["status"])
        .below("model", &["span"]);
    for span in spans {
        let reading = span.reading.as_ref();
        let usage = reading.and_then(|reading| reading.usage).unwrap_or_default();
        let cost = span.billing.as_ref().and_then(|billing| billing.cost.as_ref());
        table.row([
            span.start_time.map(|start| moment(nanos_of(start))).unwrap_or_default(),
            span.duration.map(|duration| milliseconds(duration_nanos(duration))).unwrap_or_default(),
            reading.map(|reading| reading.kind.clone()).unwrap_or_default(),
            reading.map(|reading| name(called(reading))).unwrap_or_default(),
            number(usage.input),
            number(usage.output),
            money(cost),
            span.status.clone(),
            name(&span.service),
            name(&span.name),
            span.span_id.clone(),
            span.trace_id.clone(),
        ]);
    }
    table
}

/// The model; for a step that calls none its tool or agent.
fn called(reading: &LlmReading) -> &str {
    let names = [&reading.request_model, &reading.response_model, &reading.tool_name, &reading.agent_name];
    names.into_iter().find(|name| !name.is_empty()).map_or("", |name| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_to_the_billionth() {
        assert_eq!(nanodollars("2"), Ok(2_000_000_000));
        assert_eq!(nanodollars("0.0035"), Ok(3_500_000));
        assert_eq!(nanodollars("0.000000001"), Ok(1));
        for wrong in ["", ".5", "-1", "1,5", "0.0000000001", "99999999999"] {
            assert!(nanodollars(wrong).is_err(), "{wrong}");
        }
    }
}
