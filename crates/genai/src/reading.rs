//! Puts a reading together: each field from the first key that holds something, whatever dialect the key is of.

use llm_observatory_core::llm::{LlmKind, LlmReading, Nanodollars};
use llm_observatory_core::text::Text;

use crate::events::Told;
use crate::parameters::Asked;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::{self, *};
use crate::usage::Counts;
use crate::{errors, finish, kind, money, notes, parameters, provider, timing, value};

const REQUEST_MODEL: &[Slot] = &[RequestModel, LlmRequestModelName, VercelModelId, LangsmithModel];
const OTHER_MODEL: &[Slot] = &[LlmModelName, EmbeddingModelName, RerankerModelName, Model, ModelNamePlain];
/// Langfuse and MLflow have one key for both models; their wrappers write what the response names, where they read it.
const RESPONSE_MODEL: &[Slot] =
    &[ResponseModel, LlmResponseModelName, VercelResponseModel, LangfuseModel, MlflowModel];
const CONVERSATION: &[Slot] =
    &[ConversationId, SpringConversationId, LangsmithThreadId, LangsmithConversationId];
const SESSION: &[Slot] = &[
    LangfuseSessionId,
    SessionId,
    TraceloopSessionId,
    VercelSessionId,
    VercelContextSessionId,
    VercelRuntimeSessionId,
    MlflowSession,
    LangsmithSessionId,
    LangsmithThreadId,
    LangsmithConversationId,
    AdkSessionId,
    GenkitSessionId,
    LaminarSessionId,
];
const USER: &[Slot] = &[
    LangfuseUserId,
    UserId,
    TraceloopUserId,
    VercelUserId,
    VercelContextUserId,
    VercelRuntimeUserId,
    MlflowUser,
    LitellmEndUser,
    KeyEndUser,
    EndUserId,
    GenAiUser,
    LlmUser,
    LangsmithUserId,
    LaminarUserId,
    KeyUser,
    PlainUser,
];
const COST: &[Slot] = &[UsageCost, LitellmCost, CostTotal, OperationCost, CostUsd];
const TIER: &[Slot] = &[
    OpenAiResponseTier,
    OldOpenAiResponseTier,
    ResponseTier,
    OpenAiRequestTier,
    OldOpenAiRequestTier,
    RequestTier,
    AnthropicTier,
];

/// The reading of an observation whose dialect has these rules.
pub(crate) fn reading(seen: &Seen<'_>, told: &Told, rules: &dyn Rules) -> LlmReading {
    let mut counts = Counts::told(seen);
    rules.count(seen, &mut counts);
    let kind = kind::kind(seen, rules, &counts);
    let mut reading = LlmReading::new(kind, rules.dialect());
    // A response that is fetched again was paid for when it was made.
    let is_call = rules.is_call(seen, kind) && !seen.is(Operation, "fetch_response");
    reading.is_call = is_call && (seen.span.is_some() || rules.is_call_in_log(seen));
    reading.operation = kind::operation(seen, kind);
    let asked = parameters::asked(seen);
    models(seen, &asked, &mut reading);
    reading.usage = counts.repaired(rules.input(seen, reading.provider.as_deref()), rules.output(seen));
    reading.reported_cost = cost(seen);
    let reasons = finish::reasons(seen);
    reading.finish_reasons = distinct(if reasons.is_empty() { &told.finish_reasons } else { &reasons });
    reading.parameters = asked.parameters;
    reading.streaming = timing::streaming(seen, asked.stream, told.first_part);
    reading.time_to_first_token = timing::first_token(seen, rules, told.first_part);
    people(seen, &mut reading);
    steps(seen, &mut reading);
    reading.error_type = errors::error_type(seen, told, &reading.finish_reasons);
    reading.tags = notes::tags(seen);
    reading.metadata = notes::metadata(seen);
    rules.amend(seen, &mut reading);
    if reading.kind == LlmKind::Tool && reading.tool_name.is_none() {
        reading.tool_name = seen.text(&[TraceloopEntityName]).or_else(|| tool_of_span(seen));
    }
    reading
}

/// What the application says that the step cost. OpenInference may tell the parts alone.
fn cost(seen: &Seen<'_>) -> Option<Nanodollars> {
    let parts = || money::sum(&[seen.dollars(&[LlmCostPrompt]), seen.dollars(&[LlmCostCompletion])]);
    seen.dollars(&[LlmCostTotal]).or_else(parts).or_else(|| seen.dollars(COST))
}

/// The tool that the name of a span tells: `execute_tool {tool}`, `tools/call {tool}` of MCP, or the tool itself.
fn tool_of_span(seen: &Seen<'_>) -> Option<Text> {
    let before = ["execute_tool ", "tools/call "];
    let name = before.iter().find_map(|before| seen.name.strip_prefix(before)).unwrap_or(seen.name);
    let name = value::short(name);
    (seen.span.is_some() && !name.is_empty()).then(|| Text::from(name))
}

/// Provider, framework, models, response, tier.
fn models(seen: &Seen<'_>, asked: &Asked, reading: &mut LlmReading) {
    reading.request_model =
        seen.text(REQUEST_MODEL).or_else(|| asked.model.clone()).or_else(|| seen.text(OTHER_MODEL));
    // OpenInference's key holds what the response names, or else what the request does: it tells nothing new if it says the
    // same as the request.
    let either = || seen.text(&[LlmModelName]).filter(|model| Some(model) != reading.request_model.as_ref());
    reading.response_model = seen.text(RESPONSE_MODEL).or_else(either);
    let named = provider::named(seen);
    let of_model = || reading.model().and_then(|model| provider::of_model(model)).map(Text::from_static);
    reading.provider = named.provider.or_else(of_model);
    reading.framework = named.framework;
    reading.response_id = seen.text(&[ResponseId, VercelResponseId]);
    reading.service_tier = service_tier(seen, asked);
}

/// The texts, each once, in the order of their first.
fn distinct(texts: &[Text]) -> Vec<Text> {
    let mut distinct: Vec<Text> = Vec::new();
    for text in texts {
        if !distinct.contains(text) {
            distinct.push(text.clone());
        }
    }
    distinct
}

/// The tier that answered, or else that was asked for. `auto` asks for any; `standard` is Anthropic's word for the default.
fn service_tier(seen: &Seen<'_>, asked: &Asked) -> Option<Text> {
    let told = TIER.iter().map(|slot| seen.text(&[*slot])).chain([asked.service_tier.clone()]);
    let tier = told.flatten().find(|tier| &**tier != "auto")?;
    Some(if &*tier == "standard" { Text::from_static("default") } else { tier })
}

/// Session, conversation, user.
fn people(seen: &Seen<'_>, reading: &mut LlmReading) {
    reading.conversation_id = seen.text(CONVERSATION);
    reading.session_id = seen.text(SESSION).or_else(|| reading.conversation_id.clone());
    reading.user_id = seen.text(USER);
}

/// Tool, agent, prompt.
fn steps(seen: &Seen<'_>, reading: &mut LlmReading) {
    reading.tool_name = seen.text(&[ToolName, ToolNameBare, VercelToolName, SpringToolName]);
    reading.tool_call_id =
        seen.text(&[ToolCallId, ToolCallIdJoined, VercelToolId, ToolIdBare, SpringToolCallId]);
    reading.agent_name = seen.text(&[AgentName, AgentNameBare, AgentNamePlain]);
    if reading.kind == LlmKind::Agent && reading.agent_name.is_none() {
        reading.agent_name = seen.text(&[TraceloopEntityName]);
    }
    reading.agent_id = seen.text(&[AgentId]);
    reading.prompt_name = seen.text(&[PromptName, LangfusePromptName, TraceloopPromptKey, PromptId]);
    reading.prompt_version =
        seen.text(&[PromptVersion, LangfusePromptVersion, TraceloopPromptVersion, LlmPromptTemplateVersion]);
}
