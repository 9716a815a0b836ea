//! What real instrumentations export, read and compared with what the providers' APIs told. The recordings, and how they are
//! made: tests/interop/genai.

#![expect(clippy::unwrap_used, reason = "tests and their helpers panic on errors")]

mod content;
mod otlp;
mod said;
mod shown;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::llm::{LlmKind, LlmReading};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::nesting::{Role, Step as Nested, billable_by_response};
use llm_observatory_genai::repeats::{Call, Layer, repeats};

use otlp::{Export, Step};
use truth::Truth;

fn recordings() -> Vec<PathBuf> {
    folders(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/genai/recordings"))
}

/// Folders below a folder, sorted.
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn role(step: &Step) -> Role {
    match &step.reading {
        Some(reading) if reading.is_call => Role::Call { tells_usage: reading.usage.is_told() },
        Some(reading) if reading.kind == LlmKind::Tool => Role::Tool,
        _ => Role::Other,
    }
}

/// The billable calls of all traces, in the order of their start.
fn billed(steps: &[Step]) -> Vec<&LlmReading> {
    let mut traces: BTreeMap<&[u8], Vec<&Step>> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.id.is_some()) {
        traces.entry(&step.trace).or_default().push(step);
    }
    let leaves = traces.into_values().flat_map(|steps| {
        let nested: Vec<Nested> = steps
            .iter()
            .map(|step| Nested { id: step.id.unwrap(), parent: step.parent, role: role(step) })
            .collect();
        let responses: Vec<Option<&str>> =
            steps.iter().map(|step| step.reading.as_ref()?.response_id.as_deref()).collect();
        let verdicts = billable_by_response(&nested, &responses);
        steps.into_iter().zip(verdicts).filter(|(_, billed)| *billed).map(|(step, _)| step)
    });
    let leaves: Vec<&Step> = leaves.collect();
    let calls: Vec<Call<'_>> = leaves.iter().map(|step| call(step)).collect();
    let counting = leaves.into_iter().zip(repeats(&calls)).filter(|(_, instead)| instead.is_none());
    counting.filter_map(|(step, _)| step.reading.as_ref()).collect()
}

fn call(step: &Step) -> Call<'_> {
    let reading = step.reading.as_ref().unwrap();
    Call {
        project: ProjectId::DEFAULT,
        trace: TraceId::from_wire(&step.trace).unwrap(),
        span: step.id.unwrap(),
        service: "",
        model: reading.model().map(|model| &**model),
        response: reading.response_id.as_deref(),
        start: UnixNanos(step.start),
        end: UnixNanos(step.end.max(step.start)),
        layer: Layer::of(reading),
        tells_usage: reading.usage.is_told(),
    }
}

/// The calls of a recording: those of its spans, and those that its log records tell.
fn calls(steps: &[Step]) -> Vec<&LlmReading> {
    let mut calls = billed(steps);
    let logs = steps.iter().filter(|step| step.id.is_none()).filter_map(|step| step.reading.as_ref());
    calls.extend(logs.filter(|reading| reading.is_call));
    calls
}

#[test]
fn billable_calls_tell_what_the_providers_told() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in recordings().iter().flat_map(|instrumentation| folders(instrumentation)) {
        let export = Export::of(&case);
        let steps = export.steps();
        let truth = Truth::of(&case);
        wrong.extend(truth.compare(&export, calls(&steps)));
        wrong.extend(truth.compare_people(&export, steps.iter().filter_map(|step| step.reading.as_ref())));
        cases += 1;
    }
    assert!(cases > 100, "{cases} cases are no recordings");
    assert!(wrong.is_empty(), "{} faults in {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn readings_are_as_somebody_has_read_them() {
    for instrumentation in recordings() {
        let name = instrumentation.file_name().unwrap().to_str().unwrap().to_owned();
        let cases: Vec<String> = folders(&instrumentation).iter().map(|case| shown::case(case)).collect();
        insta::assert_snapshot!(name, cases.join("\n"));
    }
}

#[test]
fn contents_are_as_somebody_has_read_them() {
    for instrumentation in recordings() {
        let name = format!("content_{}", instrumentation.file_name().unwrap().to_str().unwrap());
        let cases: Vec<String> = folders(&instrumentation).iter().map(|case| said::case(case)).collect();
        insta::assert_snapshot!(name, cases.join("\n"));
    }
}

#[test]
fn every_dialect_of_the_recordings_is_known() {
    let mut dialects = BTreeSet::new();
    for case in recordings().iter().flat_map(|instrumentation| folders(instrumentation)) {
        let steps = Export::of(&case).steps();
        dialects.extend(
            steps.iter().filter_map(|step| step.reading.as_ref()).map(|reading| reading.dialect.name()),
        );
    }
    for expected in
        ["claude_code", "codex", "gemini_cli", "langfuse", "langsmith", "openinference", "openllmetry"]
    {
        assert!(dialects.contains(expected), "{expected} is not among {dialects:?}");
    }
}
