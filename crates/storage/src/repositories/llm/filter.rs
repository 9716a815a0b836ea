//! What narrows a list of LLM spans.

use llm_observatory_core::ids::TraceId;
use llm_observatory_core::llm::LlmKind;
use llm_observatory_core::text::Text;
use llm_observatory_core::trace::StatusCode;

use super::order::{LlmCursor, LlmOrder};
use super::sql::LlmColumn;
use crate::repositories::conditions::{Conditions, Operator};
use crate::repositories::page::{DEFAULT_ROWS, TimeRange};
use crate::repositories::parameter::Parameter;

/// Selects LLM spans. `None` does not narrow the list. A span that does not tell a value fits no filter on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LlmSelection {
    /// Only spans of this kind.
    pub kind: Option<LlmKind>,
    /// Only spans of this provider.
    pub provider: Option<Text>,
    /// Only spans of this model: the one that the request names, or else the one that the response names.
    pub model: Option<Text>,
    /// Only spans of this service.
    pub service: Option<Text>,
    /// Only spans of this session.
    pub session_id: Option<Text>,
    /// Only spans of this user.
    pub user_id: Option<Text>,
    /// Only spans with this status; [`StatusCode::UNSET`] selects those without a status too.
    pub status: Option<StatusCode>,
    /// Only spans that are billable, or only those that are not.
    pub billable: Option<bool>,
    /// Only calls whose usage is missing, or only spans of which this is not so.
    pub usage_missing: Option<bool>,
    /// Only spans of this tool.
    pub tool_name: Option<Text>,
    /// Only spans of this agent.
    pub agent_name: Option<Text>,
    /// Only spans of this managed prompt.
    pub prompt_name: Option<Text>,
    /// Only spans with this tag.
    pub tag: Option<Text>,
    /// Only spans of this trace.
    pub trace_id: Option<TraceId>,
    /// Only spans with so many input tokens.
    pub input_tokens: Range,
    /// Only spans with so many output tokens.
    pub output_tokens: Range,
    /// Only spans with so many input and output tokens together. A count that was not told adds nothing.
    pub total_tokens: Range,
    /// Only billable spans with such a cost in US dollars, in billionths.
    pub cost: Range,
    /// Only spans that took so long, in nanoseconds.
    pub duration: Range,
}

/// Numbers from `least` to `most`, both included. `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// The least number.
    pub least: Option<i64>,
    /// The greatest number.
    pub most: Option<i64>,
}

/// Selects a page of LLM spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmFilter {
    /// Only spans with their start in this range.
    pub range: TimeRange,
    /// Only these spans.
    pub selection: LlmSelection,
    /// What the list is ordered by.
    pub order: LlmOrder,
    /// Whether the least value comes first.
    pub ascending: bool,
    /// Where the previous page ended.
    pub after: Option<LlmCursor>,
    /// Rows of one page, 1 to [`MAX_ROWS`](crate::repositories::MAX_ROWS); other values are clamped.
    pub limit: usize,
}

impl Default for LlmFilter {
    fn default() -> Self {
        Self {
            range: TimeRange::ALL,
            selection: LlmSelection::default(),
            order: LlmOrder::StartTime,
            ascending: false,
            after: None,
            limit: DEFAULT_ROWS,
        }
    }
}

/// The conditions of a selection, behind the parameters that the list always has.
pub(super) fn conditions(selection: LlmSelection, parameters: Vec<Parameter>) -> Conditions {
    let text = |text: Option<Text>| text.map(|text| text.to_string());
    let ranges = [
        (LlmColumn::Input, selection.input_tokens),
        (LlmColumn::Output, selection.output_tokens),
        (LlmColumn::Total, selection.total_tokens),
        (LlmColumn::Cost, selection.cost),
        (LlmColumn::Duration, selection.duration),
    ];
    let conditions = Conditions::behind(parameters)
        .and(LlmColumn::Kind, Operator::Is, selection.kind.map(|kind| kind.name().to_owned()))
        .and(LlmColumn::Provider, Operator::Is, text(selection.provider))
        .and(LlmColumn::Model, Operator::Is, text(selection.model))
        .and(LlmColumn::Service, Operator::Is, text(selection.service))
        .and(LlmColumn::Session, Operator::Is, text(selection.session_id))
        .and(LlmColumn::User, Operator::Is, text(selection.user_id))
        .and(LlmColumn::Status, Operator::Is, selection.status.map(|status| status.0))
        .and(LlmColumn::Billable, Operator::Is, selection.billable)
        .and(LlmColumn::UsageMissing, Operator::Is, selection.usage_missing)
        .and(LlmColumn::Tool, Operator::Is, text(selection.tool_name))
        .and(LlmColumn::Agent, Operator::Is, text(selection.agent_name))
        .and(LlmColumn::Prompt, Operator::Is, text(selection.prompt_name))
        .and(LlmColumn::Tag, Operator::Contains, text(selection.tag))
        .and(LlmColumn::Trace, Operator::Is, selection.trace_id.map(|id| id.uuid()));
    ranges.into_iter().fold(conditions, |conditions, (column, range)| {
        conditions.and(column, Operator::AtLeast, range.least).and(column, Operator::AtMost, range.most)
    })
}
