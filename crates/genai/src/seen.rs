//! What a reading looks at: the slots of a span with what its events add, or of a log record.

use std::borrow::Cow;

use llm_observatory_core::attributes::{Value, find};
use llm_observatory_core::llm::Nanodollars;
use llm_observatory_core::text::Text;
use llm_observatory_core::trace::StatusCode;

use crate::money;
use crate::observation::{LogObservation, Observation, Scope, SpanObservation};
use crate::slots::{self, Slot, Slots};
use crate::value;
use crate::vector_stores::is_vector_store;

/// An observation, its attributes found.
pub(crate) struct Seen<'a> {
    pub(crate) scope: Scope<'a>,
    /// Name of the span, or of the event.
    pub(crate) name: &'a str,
    pub(crate) slots: Slots<'a>,
    /// The span; `None` for a log record.
    pub(crate) span: Option<&'a SpanObservation<'a>>,
    /// Whether it is a log record that was written in a span.
    pub(crate) is_in_span: bool,
}

impl<'a> Seen<'a> {
    /// Looks at an observation; `None` if no attribute of it and nothing about it is of an LLM dialect's.
    pub(crate) fn of(observation: &'a Observation<'a>) -> Option<Self> {
        match observation {
            Observation::Span(span) => Self::span(span),
            Observation::Log(log) => Self::log(log),
        }
    }

    fn span(span: &'a SpanObservation<'a>) -> Option<Self> {
        let is_llm =
            slots::speak_llm(span.attributes) || is_llm_library(span.scope.name) || is_llm_name(span.name);
        is_llm.then(|| Self {
            scope: span.scope,
            name: span.name,
            slots: Slots::of(span.attributes),
            span: Some(span),
            is_in_span: false,
        })
    }

    fn log(log: &'a LogObservation<'a>) -> Option<Self> {
        let named = find(log.attributes, "event.name").and_then(Value::as_str).unwrap_or_default();
        let body = log.body.as_str().unwrap_or_default();
        // Claude Code's `event.name` lacks what tells it from others'; its body has it. The event name of records that come
        // by way of Rust's `tracing` is a place in the source.
        let name = match (log.event_name, named) {
            _ if body.starts_with("claude_code.") => body,
            ("", "") => body,
            (name, "") => name,
            (_, named) => named,
        };
        if !is_llm_log(name, log.scope.name) && !slots::speak_llm(log.attributes) {
            return None;
        }
        let mut slots = Slots::of(log.attributes);
        if let Value::Map(body) = log.body {
            slots.complete(body);
            slots.marks.llm |= slots::speak_llm(body);
        }
        Some(Self { scope: log.scope, name, slots, span: None, is_in_span: log.is_in_span })
    }

    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.slots.has(slot)
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&'a Value<'a>> {
        self.slots.get(slot)
    }

    /// The first of these slots that `take` can read.
    pub(crate) fn first<T>(&self, slots: &[Slot], take: impl Fn(&'a Value<'a>) -> Option<T>) -> Option<T> {
        slots.iter().find_map(|slot| self.get(*slot).and_then(&take))
    }

    /// The text of the first slot that has one.
    pub(crate) fn str(&self, slots: &[Slot]) -> Option<Cow<'a, str>> {
        self.first(slots, value::text)
    }

    pub(crate) fn text(&self, slots: &[Slot]) -> Option<Text> {
        self.str(slots).map(|text| self.keep(text))
    }

    /// The text as one to keep, without a copy where it is a slice of the buffer of the observation.
    pub(crate) fn keep(&self, text: Cow<'_, str>) -> Text {
        match (text, self.span.and_then(|span| span.buffer)) {
            (Cow::Borrowed(text), Some(buffer)) => Text::within(buffer, text),
            (text, _) => Text::from(text.into_owned()),
        }
    }

    pub(crate) fn count(&self, slots: &[Slot]) -> Option<i64> {
        self.first(slots, value::count)
    }

    pub(crate) fn whole(&self, slots: &[Slot]) -> Option<i64> {
        self.first(slots, value::whole)
    }

    pub(crate) fn number(&self, slots: &[Slot]) -> Option<f64> {
        self.first(slots, value::number)
    }

    pub(crate) fn truth(&self, slots: &[Slot]) -> Option<bool> {
        self.first(slots, value::truth)
    }

    pub(crate) fn dollars(&self, slots: &[Slot]) -> Option<Nanodollars> {
        self.first(slots, money::dollars)
    }

    /// Whether the slot has exactly this text.
    pub(crate) fn is(&self, slot: Slot, text: &str) -> bool {
        self.get(slot).and_then(Value::as_str) == Some(text)
    }

    /// Whether the span failed.
    pub(crate) fn failed(&self) -> bool {
        self.span.is_some_and(|span| span.status == Some(StatusCode::ERROR))
    }
}

/// Libraries whose spans are LLM spans even without attributes: workflows and runs of agents.
fn is_llm_library(scope: &str) -> bool {
    matches!(scope, "gcp.vertex.agent" | "agent_framework" | "strands.telemetry.tracer" | "langfuse-sdk")
        || scope.starts_with("openlit.")
        || is_vector_store(scope)
}

/// Whether a log record may tell of an LLM call whatever its attributes: by the name of its event or by its library. Most
/// records of an application tell of none, and cost no more than this.
fn is_llm_log(name: &str, scope: &str) -> bool {
    let events = ["gen_ai.", "claude_code.", "gemini_cli.", "codex."];
    let libraries = ["com.anthropic.claude_code", "gemini-cli", "codex_"];
    events.iter().any(|event| name.starts_with(event))
        || libraries.iter().any(|library| scope.starts_with(library))
}

/// Names of spans that are LLM spans whatever their attributes.
fn is_llm_name(name: &str) -> bool {
    name.starts_with("claude_code.")
}
