//! What was asked and answered, in every dialect.
//!
//! A format (a dialect's way to write content) is one file. `request` and `response` read a document of any shape,
//! `message`, `part`, `media` and `tools` a piece of one, so a format need not know which provider's shapes it carries.

mod coding_agents;
mod documents;
pub(crate) mod json;
mod keys;
mod media;
pub(crate) mod message;
mod message_events;
mod openinference;
mod openllmetry;
mod otel_genai;
mod own;
pub(crate) mod part;
pub(crate) mod placeholder;
mod request;
mod response;
mod retrieval;
mod thoughts;
mod tool_run;
mod tools;
mod vercel_ai;

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::llm::{LlmContent, LlmKind, LlmReading, Message, Part, ToolDefinition};
use llm_observatory_core::time::UnixNanos;

use crate::dialect::native;
use crate::finish;
use crate::observation::{Event, Observation};

use keys::Keys;
use request::Request;

/// What there is to read.
struct Source<'a> {
    keys: Keys<'a>,
    events: &'a [Event<'a>],
    kind: Option<LlmKind>,
}

/// The content of an observation with this reading.
///
/// Of the formats that a span speaks the first that says something wins, for each field. Nothing fails: JSON that is none,
/// or goes beyond the limits, is shown as text. The cost is linear in the bytes, but for the sorting of the keys.
pub(crate) fn content(observation: &Observation<'_>, reading: Option<&LlmReading>) -> LlmContent {
    match observation {
        Observation::Span(span) => read(span.attributes, span.events, reading),
        Observation::Log(log) => {
            let event = Event {
                name: log.event_name,
                time: UnixNanos(0),
                attributes: log.attributes,
                body: Some(log.body),
            };
            read(log.attributes, &[event], reading)
        }
    }
}

fn read<'a>(
    attributes: &'a [Attribute<'a>],
    events: &'a [Event<'a>],
    reading: Option<&LlmReading>,
) -> LlmContent {
    let kind = reading.map(|reading| reading.kind);
    let source = Source { keys: Keys::of(attributes), events, kind };
    if native::mark(attributes).is_some() {
        return own::read(&source.keys);
    }
    let (is_tool, is_retrieval) =
        (kind == Some(LlmKind::Tool), matches!(kind, Some(LlmKind::Retriever | LlmKind::Reranker)));
    let documents = retrieval::documents(&source.keys, events, is_retrieval);
    let request = input(&source);
    let mut output = if documents.is_empty() { output(&source) } else { Vec::new() };
    if let Some(reading) = reading.filter(|reading| reading.kind == LlmKind::Llm) {
        thoughts::complete(&mut output, &source.keys, reading);
    }
    let system_instructions = system(&source, &request);
    LlmContent {
        output: output.into_iter().map(with_common_reason).collect(),
        tools: tool_definitions(&source, request.tools),
        input: without_copy(request.messages, &system_instructions)
            .into_iter()
            .map(with_common_reason)
            .collect(),
        system_instructions,
        tool_arguments: is_tool.then(|| tool_run::arguments(&source.keys, events)).flatten(),
        tool_result: is_tool.then(|| tool_run::result(&source.keys, events)).flatten(),
        documents,
    }
}

/// The messages without one that repeats the instructions beside them, as OpenLIT's do.
fn without_copy(mut messages: Vec<Message>, instructions: &[Part]) -> Vec<Message> {
    let is_copy = |message: &Message| is_system(message) && message.parts == instructions;
    if !instructions.is_empty()
        && let Some(place) = messages.iter().position(is_copy)
    {
        messages.remove(place);
    }
    messages
}

/// Whether a message gives the model its instructions.
fn is_system(message: &Message) -> bool {
    ["system", "developer"].contains(&&*message.role)
}

/// The message with a finish reason that is the same for all providers.
fn with_common_reason(mut message: Message) -> Message {
    message.finish_reason = message.finish_reason.map(|reason| finish::canonical(&reason).to_string());
    message
}

/// The first list that is not empty.
fn first<T>(mut lists: impl Iterator<Item = Vec<T>>) -> Vec<T> {
    lists.find(|list| !list.is_empty()).unwrap_or_default()
}

impl Source<'_> {
    /// Documents of any content under these keys: for a tool they are its arguments and its result.
    fn asked(&self, names: &[&str]) -> Request {
        if self.kind == Some(LlmKind::Tool) {
            Request::default()
        } else {
            documents::input(&self.keys, names)
        }
    }

    /// As [`Self::asked`], for what came out. An embedding is no message.
    fn answered(&self, names: &[&str]) -> Vec<Message> {
        let is_said = !matches!(self.kind, Some(LlmKind::Tool | LlmKind::Embedding));
        if is_said { documents::output(&self.keys, names) } else { Vec::new() }
    }
}

/// A way to find what went in.
type Asked = fn(&Source<'_>) -> Request;

/// A way to find what came out.
type Answered = fn(&Source<'_>) -> Vec<Message>;

impl From<Vec<Message>> for Request {
    fn from(messages: Vec<Message>) -> Self {
        Self { messages, ..Self::default() }
    }
}

/// What went in, by the formats in their order of precedence.
const ASKED: &[Asked] = &[
    |source| source.asked(&["langfuse.observation.input"]),
    |source| otel_genai::input(&source.keys).into(),
    |source| otel_genai::input_in(source.events).into(),
    |source| {
        if source.kind == Some(LlmKind::Tool) {
            Request::default()
        } else {
            message_events::input(source.events).into()
        }
    },
    |source| openinference::input(&source.keys).into(),
    |source| openllmetry::input(&source.keys).into(),
    |source| vercel_ai::input(&source.keys).into(),
    |source| documents::conversation_input(&source.keys).into(),
    |source| source.asked(&["gcp.vertex.agent.llm_request", "mlflow.spanInputs", "gen_ai.prompt"]),
    |source| message_events::prompt(source.events).into(),
    |source| documents::request_data(&source.keys),
    |source| source.asked(&["gen_ai.content.prompt"]),
    |source| openinference::prompts(&source.keys).into(),
    |source| {
        source.asked(&[
            "traceloop.entity.input",
            "gen_ai.task.input",
            "input.value",
            "lmnr.span.input",
            "genkit:input",
        ])
    },
    |source| source.asked(&["gen_ai.retrieval.query.text", "reranker.query", "db.vector.query.content"]),
    |source| coding_agents::input(&source.keys, source.events).into(),
];

/// What came out, by the formats in their order of precedence.
const ANSWERED: &[Answered] = &[
    |source| source.answered(&["langfuse.observation.output"]),
    |source| otel_genai::output(&source.keys),
    |source| otel_genai::output_in(source.events),
    |source| {
        if source.kind == Some(LlmKind::Tool) { Vec::new() } else { message_events::output(source.events) }
    },
    |source| openinference::output(&source.keys),
    |source| openllmetry::output(&source.keys),
    |source| vercel_ai::output(&source.keys),
    |source| source.answered(&["final_result"]),
    |source| documents::conversation_output(&source.keys),
    |source| source.answered(&["gcp.vertex.agent.llm_response", "mlflow.spanOutputs", "gen_ai.completion"]),
    |source| message_events::completion(source.events),
    |source| documents::response_data(&source.keys),
    |source| source.answered(&["gen_ai.content.completion"]),
    |source| openinference::choices(&source.keys),
    |source| {
        source.answered(&[
            "traceloop.entity.output",
            "gen_ai.task.output",
            "output.value",
            "lmnr.span.output",
            "genkit:output",
        ])
    },
    |source| coding_agents::output(&source.keys, source.events),
];

fn input(source: &Source<'_>) -> Request {
    ASKED.iter().map(|ask| ask(source)).find(|request| !request.messages.is_empty()).unwrap_or_default()
}

fn output(source: &Source<'_>) -> Vec<Message> {
    first(ANSWERED.iter().map(|answer| answer(source)))
}

fn system(source: &Source<'_>, request: &Request) -> Vec<Part> {
    let own: [fn(&Source<'_>) -> Vec<Part>; 3] = [
        |source| otel_genai::system(&source.keys),
        |source| otel_genai::system_in(source.events),
        |source| vercel_ai::system(&source.keys),
    ];
    let found = first(own.iter().map(|find| find(source)).chain([request.system.clone()]));
    if found.is_empty() && !request.messages.iter().any(is_system) {
        documents::system(&source.keys)
    } else {
        found
    }
}

fn tool_definitions(source: &Source<'_>, beside: Vec<ToolDefinition>) -> Vec<ToolDefinition> {
    /// Keys that list definitions, or the names of tools.
    const LISTS: &[&str] = &[
        "mlflow.chat.tools",
        "model_request_parameters",
        "gen_ai.request.tools",
        "gen_ai.agent.tools",
        "spring.ai.model.request.tool.names",
        "sk.available_functions",
    ];
    let own: [fn(&Source<'_>) -> Vec<ToolDefinition>; 6] = [
        |source| otel_genai::tool_definitions(&source.keys),
        |source| otel_genai::tool_definitions_in(source.events),
        |source| openinference::tool_definitions(&source.keys),
        |source| openllmetry::tool_definitions(&source.keys),
        |source| vercel_ai::tool_definitions(&source.keys),
        |source| first(LISTS.iter().filter_map(|key| Some(tools::read(&source.keys.document(key)?)))),
    ];
    let told = || own.iter().map(|find| find(source)).chain([beside.clone()]);
    // ADK 2 leaves the schemas out on the span and tells them in its log record.
    let with_schemas = |tools: &Vec<ToolDefinition>| tools.iter().any(|tool| tool.parameters.is_some());
    told().find(with_schemas).unwrap_or_else(|| first(told()))
}
