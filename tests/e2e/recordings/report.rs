//! What came out right, what an instrumentation does not tell, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use harness::recordings::{Exported, Recording};
use llm_observatory_genai::prices::PriceBook;
use serde_json::{Value, json};

use super::call::{check_bill, check_content, check_facts, check_speaker, check_tool};
use super::match_up::calls_of;
use super::totals::{COUNTS, count, true_cost, true_count};
use super::world::Found;

/// What is known of all recordings. Shown, it is a table of the instrumentations.
#[derive(Default)]
pub(super) struct Report {
    rows: BTreeMap<String, Row>,
    /// What is wrong, a line for each field.
    pub(super) wrong: Vec<String>,
}

#[derive(Default)]
struct Row {
    package: String,
    cases: usize,
    calls: usize,
    right: usize,
    wrong: usize,
    untold: BTreeMap<String, usize>,
    doubled: usize,
}

/// The fields of one recording as they are checked.
pub(super) struct Checks<'a> {
    truth: &'a Value,
    pub(super) exported: Exported,
    what: String,
    right: usize,
    untold: Vec<String>,
    wrong: Vec<String>,
}

impl Checks<'_> {
    /// Whether the instrumentation does not tell a field.
    pub(super) fn is_untold(&self, field: &str) -> bool {
        self.truth["untold"].get(field).is_some()
    }

    /// Whether a value stands nowhere in the export.
    pub(super) fn is_absent(&self, value: &Value) -> bool {
        !self.exported.holds(value)
    }

    /// Whether a field of a call is not told, and what is summed up or paid depends on it.
    pub(super) fn lacks(&self, call: &Value, field: &str) -> bool {
        let told = call[field].as_i64().filter(|_| call["usage_on_wire"] == true);
        match field {
            "service_tier" => {
                let is_usual = ["default", "standard"].iter().any(|usual| call[field] == *usual);
                !is_usual && (self.is_untold(field) || self.is_absent(&call[field]))
            }
            _ if told == Some(0) => false,
            _ if self.is_untold(field) => true,
            "input_tokens" => told.is_some_and(|input| {
                // It may be told without the cached ones.
                let part = |name: &str| call[name].as_i64().unwrap_or(0);
                let (read, write) = (part("cache_read_tokens"), part("cache_write_tokens"));
                [input, input - read, input - write, input - read - write]
                    .iter()
                    .all(|told| self.is_absent(&json!(told)))
            }),
            _ => self.is_absent(&json!(told)),
        }
    }

    /// Notes that a field is not told.
    pub(super) fn untold(&mut self, field: &str) {
        self.untold.push(field.to_owned());
    }

    /// Compares what each span said of a field with the truth. Null is what is not told; nothing needs to be told of what is
    /// zero or null, and nothing is expected of what stands nowhere in the export.
    pub(super) fn field(&mut self, field: &str, truth: &Value, said: &[Value]) {
        self.field_as(field, truth, truth, said);
    }

    /// The same for a field that the export may tell without its very value; `is_there` says whether it does.
    pub(super) fn field_if(&mut self, is_there: bool, field: &str, truth: &Value, said: &[Value]) {
        match is_there || said.iter().any(|said| !said.is_null()) {
            true => self.field(field, truth, said),
            false => self.untold(field),
        }
    }

    /// The same for a field that the provider tells in another word.
    pub(super) fn field_as(&mut self, field: &str, truth: &Value, word: &Value, said: &[Value]) {
        let mut told = said.iter().filter(|said| !said.is_null()).peekable();
        let is_told = told.peek().is_some();
        if !is_told && (truth.is_null() || *truth == 0) {
            return;
        }
        if is_told && told.all(|said| is_same(said, truth)) {
            self.right += 1;
        } else if self.is_untold(field) || !is_told && self.is_absent(word) {
            self.untold(field);
        } else {
            self.wrong.push(format!("{} {field}: {said:?} NOT {truth}", self.what));
        }
    }

    fn fails(&mut self, why: &str) {
        self.wrong.push(format!("{} {why}", self.what));
    }
}

/// Whether two values are the same; numbers by what they count.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
}

impl Report {
    /// Takes a recording in, with the LLM spans that the daemon found in it.
    pub(super) fn add(&mut self, recording: &Recording, found: &[Found]) {
        let truth = &recording.truth;
        let calls = truth["calls"].as_array().unwrap();
        let mut checks = Checks {
            truth,
            exported: Exported::of(recording),
            what: String::new(),
            right: 0,
            untold: Vec::new(),
            wrong: Vec::new(),
        };
        let book = PriceBook::new(Vec::new());
        let row = self.rows.entry(truth["instrumentation"].as_str().unwrap().to_owned()).or_default();
        row.package.clone_from(&recording.package);
        row.cases += 1;
        row.calls += calls.len();

        let places = calls_of(found, calls);
        for (number, call) in calls.iter().enumerate() {
            checks.what = format!("{} call {number}", recording.name);
            let spans: Vec<_> = (found.iter().zip(&places))
                .filter_map(|(found, place)| (*place == Some(number)).then_some(found))
                .collect();
            let billable: Vec<_> = spans.iter().filter(|found| found.billing().billable).collect();
            let traces: BTreeSet<_> = billable.iter().map(|found| &found.span.trace_id).collect();
            let Some(first) = billable.first() else {
                match checks.is_untold("calls") {
                    true => checks.untold("calls"),
                    false => checks.fails("has no billable span"),
                }
                continue;
            };
            if traces.len() < billable.len() {
                checks.fails("has several billable spans in one trace");
            }
            row.doubled += traces.len() - 1;
            check_bill(&mut checks, &book, call, first);
            check_facts(&mut checks, call, &spans);
            check_speaker(&mut checks, truth, &spans);
            if truth["content"] == true {
                check_content(&mut checks, call, &spans);
            }
        }
        checks.what.clone_from(&recording.name);
        if truth["content"] == true {
            for run in truth["tools"].as_array().unwrap() {
                check_tool(&mut checks, run, found);
            }
        }
        check_totals(&mut checks, &book, calls, found, &places);

        row.right += checks.right;
        row.wrong += checks.wrong.len();
        checks.untold.into_iter().for_each(|field| *row.untold.entry(field).or_default() += 1);
        self.wrong.append(&mut checks.wrong);
    }
}

/// Checks the sums over each trace: of its billable spans, and of the calls that are in it.
fn check_totals(
    checks: &mut Checks<'_>,
    book: &PriceBook,
    calls: &[Value],
    found: &[Found],
    places: &[Option<usize>],
) {
    let traces: BTreeSet<_> = found.iter().map(|found| &found.span.trace_id).collect();
    for trace in traces {
        let here: Vec<_> =
            found.iter().zip(places).filter(|(found, _)| found.span.trace_id == *trace).collect();
        let billable: Vec<_> =
            here.iter().map(|(found, _)| found).filter(|found| found.billing().billable).collect();
        let known: BTreeSet<_> = here.iter().filter_map(|(_, place)| **place).collect();
        if billable.len() != known.len() {
            checks.fails(&format!("{} billable calls in a trace of {}", billable.len(), known.len()));
        }
        let known: Vec<_> = known.into_iter().map(|place| &calls[place]).collect();
        for name in COUNTS
            .iter()
            .filter(|name| !known.iter().any(|call| checks.lacks(call, name)))
            .collect::<Vec<_>>()
        {
            let sum: i64 = billable.iter().filter_map(|found| count(found, name)).sum();
            let truth: i64 = known.iter().filter_map(|call| true_count(call, name)).sum();
            if sum != truth {
                checks.fails(&format!("total {name}: {sum} NOT {truth}"));
            }
        }
        let is_paid_by_what_is_untold = COUNTS
            .iter()
            .chain(&["service_tier"])
            .any(|name| known.iter().any(|call| checks.lacks(call, name)));
        let start = billable.first().map_or(0, |found| found.start());
        let sum: i64 =
            billable.iter().filter_map(|found| found.billing().cost.as_ref()).map(|cost| cost.nanos).sum();
        let truth: i64 = known.iter().filter_map(|call| true_cost(book, call, start)).sum();
        if sum != truth && !is_paid_by_what_is_untold {
            checks.fails(&format!("total cost: {sum} NOT {truth}"));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| instrumentation | version | cases | calls | fields right | wrong | not told by the instrumentation |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        let mut sum = (0, 0, 0, 0, 0);
        for (name, row) in &self.rows {
            let untold: Vec<_> = row.untold.iter().map(|(field, times)| format!("{field} {times}")).collect();
            let doubled = if row.doubled > 0 {
                format!("; {} calls in a second trace", row.doubled)
            } else {
                String::new()
            };
            let Row { package, cases, calls, right, wrong, .. } = row;
            let untold_fields: usize = row.untold.values().sum();
            writeln!(
                f,
                "| {name} | {package} | {cases} | {calls} | {right} | {wrong} | {untold_fields}: {}{doubled} |",
                untold.join(", ")
            )?;
            sum = (sum.0 + cases, sum.1 + calls, sum.2 + right, sum.3 + wrong, sum.4 + untold_fields);
        }
        writeln!(f, "| all | | {} | {} | {} | {} | {} |", sum.0, sum.1, sum.2, sum.3, sum.4)
    }
}
