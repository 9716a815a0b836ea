//! Messages as events, one each: OpenTelemetry's GenAI conventions 1.26 to 1.36, Semantic Kernel, Strands, Azure's SDK.
//!
//! They are log records with a structured body (or, of Semantic Kernel, a JSON text), or events of the span with the same
//! fields as attributes.

use std::collections::HashSet;

use llm_observatory_core::attributes::{Value, find};
use llm_observatory_core::llm::Message;

use crate::observation::Event;

use super::json::Json;
use super::otel_genai::name;
use super::{message, request, response};

const CHOICE: &str = "gen_ai.choice";

/// The messages that went in.
pub(super) fn input(events: &[Event<'_>]) -> Vec<Message> {
    either(events, |name| name != CHOICE)
}

/// The choices that came out.
pub(super) fn output(events: &[Event<'_>]) -> Vec<Message> {
    either(events, |name| name == CHOICE)
}

/// The messages of the span's own events, or else of its log records. An instrumentation that makes both says the same twice.
fn either(events: &[Event<'_>], wanted: impl Fn(&str) -> bool + Copy) -> Vec<Message> {
    let own = messages(events.iter().filter(|event| event.body.is_none()), wanted);
    if own.is_empty() { messages(events.iter().filter(|event| event.body.is_some()), wanted) } else { own }
}

fn messages<'e, 'a: 'e>(
    events: impl Iterator<Item = &'e Event<'a>>,
    wanted: impl Fn(&str) -> bool,
) -> Vec<Message> {
    let mut seen = HashSet::new();
    let read = events.filter_map(|event| {
        let role = Some(name(event)).filter(|name| wanted(name)).and_then(message::role_of_event)?;
        let message = message::read(&fields(event), role)?;
        // A log record that came again in another batch is stored again.
        let is_new =
            event.body.is_none() || event.time.0 == 0 || seen.insert((event.time.0, format!("{message:?}")));
        is_new.then_some(message)
    });
    read.take(message::MAX_MESSAGES).collect()
}

/// The fields of a message, wherever the event has them.
fn fields<'a>(event: &Event<'a>) -> Json<'a> {
    match event.body {
        Some(body @ Value::Map(_)) => return Json::of(body),
        Some(Value::Str(text)) => match Json::parse_nest(text) {
            Some(json) => return json,
            None if !text.is_empty() && find(event.attributes, "content").is_none() => {
                return Json::Map(vec![("content".into(), Json::Text(text.as_ref().into()))], None);
            }
            None => {}
        },
        _ => {}
    }
    // Azure's SDK has the whole body in one attribute.
    if let Some(whole) =
        find(event.attributes, "gen_ai.event.content").map(Json::document).filter(Json::is_map)
    {
        return whole;
    }
    let fields = event.attributes.iter().map(|attribute| {
        let value = match (&*attribute.key, &attribute.value) {
            // Strands writes Bedrock's blocks as JSON texts; a text that is no list of maps is what somebody said.
            ("content" | "message", Value::Str(text)) => Json::parse_nest(text)
                .filter(|json| json.items().map_or(json.is_map(), |items| items.iter().all(Json::is_map)))
                .unwrap_or_else(|| Json::Text(text.as_ref().into())),
            (_, value) => Json::of(value),
        };
        (attribute.key.as_ref().into(), value)
    });
    Json::Map(fields.collect(), None)
}

/// What went in by the one event of conventions 1.26 and 1.27, and of OpenLIT.
pub(super) fn prompt(events: &[Event<'_>]) -> Vec<Message> {
    whole(events, "gen_ai.content.prompt", "gen_ai.prompt", |json| request::read(json).messages)
}

/// What came out by the one event of conventions 1.26 and 1.27, and of OpenLIT.
pub(super) fn completion(events: &[Event<'_>]) -> Vec<Message> {
    whole(events, "gen_ai.content.completion", "gen_ai.completion", response::read)
}

fn whole(
    events: &[Event<'_>],
    event: &str,
    key: &str,
    read: impl Fn(&Json<'_>) -> Vec<Message>,
) -> Vec<Message> {
    let told =
        events.iter().filter(|told| told.name == event).filter_map(|event| find(event.attributes, key));
    told.flat_map(|value| read(&Json::document(value))).take(message::MAX_MESSAGES).collect()
}
