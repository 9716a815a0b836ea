//! What came out right, what an instrumentation does not tell, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use harness::recordings::Recording;
use llm_observatory_genai::prices::PriceBook;
use serde_json::Value;

use super::call::{check_bill, check_content, check_facts, check_speaker, check_tool};
use super::checks::Checks;
use super::known;
use super::match_up::calls_of;
use super::totals::{COUNTS, count, true_cost, true_count};
use super::world::Found;

/// What is known of all recordings. Shown, it is a table of the instrumentations.
#[derive(Default)]
pub(super) struct Report {
    rows: BTreeMap<String, Row>,
    /// What is wrong, a line for each field.
    pub(super) wrong: Vec<String>,
    /// Places in [`known::WRONG`] of what was wrong.
    known: BTreeSet<usize>,
}

#[derive(Default)]
struct Row {
    package: String,
    cases: usize,
    calls: usize,
    right: usize,
    wrong: usize,
    untold: BTreeMap<String, usize>,
}

impl Report {
    /// What is known to be wrong and was right.
    pub(super) fn mended(&self) -> Vec<&'static str> {
        let right = known::WRONG.iter().enumerate().filter(|(place, _)| !self.known.contains(place));
        right.map(|(_, (recording, ..))| *recording).collect()
    }

    /// Takes a recording in, with the LLM spans that the daemon found in it.
    pub(super) fn add(&mut self, recording: &Recording, found: &[Found]) {
        let truth = &recording.truth;
        let calls = truth["calls"].as_array().unwrap();
        let mut checks = Checks::of(recording);
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
            let Some(first) = billable.first() else {
                match checks.is_untold("calls") {
                    true => checks.untold("calls"),
                    false => checks.fails("calls", "none is billable"),
                }
                continue;
            };
            if billable.len() > 1 {
                checks.fails("calls", &format!("{} are billable", billable.len()));
            }
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
        row.wrong += checks.wrong.len() + checks.known.len();
        self.known.append(&mut checks.known);
        checks.untold.into_iter().for_each(|field| *row.untold.entry(field).or_default() += 1);
        self.wrong.append(&mut checks.wrong);
    }
}

/// Checks the sums over all billable spans, in whatever traces: they are those of the calls.
fn check_totals(
    checks: &mut Checks<'_>,
    book: &PriceBook,
    calls: &[Value],
    found: &[Found],
    places: &[Option<usize>],
) {
    let billable: Vec<_> = found.iter().filter(|found| found.billing().billable).collect();
    let has_span = |place: usize| places.contains(&Some(place)) || !checks.is_untold("calls");
    let told: Vec<_> = (0..calls.len()).filter(|place| has_span(*place)).map(|place| &calls[place]).collect();
    if billable.len() != told.len() {
        checks.fails("calls", &format!("{} are billable of {}", billable.len(), told.len()));
    }
    for name in
        COUNTS.iter().filter(|name| !told.iter().any(|call| checks.lacks(call, name))).collect::<Vec<_>>()
    {
        let sum: i64 = billable.iter().filter_map(|found| count(found, name)).sum();
        let truth: i64 = told.iter().filter_map(|call| true_count(call, name)).sum();
        if sum != truth {
            checks.fails(name, &format!("{sum} in all NOT {truth}"));
        }
    }
    let mut paid_by = COUNTS.iter().chain(&["service_tier"]);
    let start = billable.first().map_or(0, |found| found.start());
    let costs = billable.iter().filter_map(|found| found.billing().cost.as_ref());
    let sum: i64 = costs.map(|cost| cost.nanos).sum();
    let truth: i64 = told.iter().filter_map(|call| true_cost(book, call, start)).sum();
    if sum != truth && !paid_by.any(|name| told.iter().any(|call| checks.lacks(call, name))) {
        checks.fails("cost", &format!("{sum} in all NOT {truth}"));
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
            let Row { package, cases, calls, right, wrong, .. } = row;
            let untold_fields: usize = row.untold.values().sum();
            writeln!(
                f,
                "| {name} | {package} | {cases} | {calls} | {right} | {wrong} | {untold_fields}: {} |",
                untold.join(", ")
            )?;
            sum = (sum.0 + cases, sum.1 + calls, sum.2 + right, sum.3 + wrong, sum.4 + untold_fields);
        }
        writeln!(f, "| all | | {} | {} | {} | {} | {} |", sum.0, sum.1, sum.2, sum.3, sum.4)?;
        writeln!(f, "\nTold elsewhere, or read wrongly:")?;
        known::WRONG
            .iter()
            .try_for_each(|(recording, field, why)| writeln!(f, "* {recording} {field}: {why}"))
    }
}
