//! The models that were called, with their calls, tokens and cost.

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Nanodollars, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;

use super::sql::total_tokens;
use crate::error::Error;
use crate::models::column::{Int8, Nullable, Timestamp, Varchar};
use crate::models::fields::Fields;
use crate::models::row::ReadRow;
use crate::repositories::conditions::{Column, Conditions, Operator, PLACE, with_all};
use crate::repositories::page::{DEFAULT_ROWS, TimeRange, timestamp};
use crate::repositories::parameter::parameters;
use crate::statement::Statement;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&BY_COST, &BY_CALLS, &BY_TOKENS, &BY_NAME, &BY_COST_NARROWED];

static BY_COST: Statement = Statement::composed("llm: models by cost", || models(ModelOrder::Cost));
static BY_CALLS: Statement = Statement::composed("llm: models by calls", || models(ModelOrder::Calls));
static BY_TOKENS: Statement = Statement::composed("llm: models by tokens", || models(ModelOrder::Tokens));
static BY_NAME: Statement = Statement::composed("llm: models by name", || models(ModelOrder::Name));
/// The list with every condition, for the test that prepares all statements.
static BY_COST_NARROWED: Statement =
    Statement::composed("llm: models by cost narrowed", || with_all::<ModelColumn>(BY_COST.sql(), 10));

/// What models are ordered by; models of the same value by provider and name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelOrder {
    /// Cost, the greatest first.
    #[default]
    Cost,
    /// Billable calls, the most first.
    Calls,
    /// Input and output tokens of billable calls, the most first.
    Tokens,
    /// Provider and name.
    Name,
}

/// The columns that can narrow the calls that are counted.
#[derive(Debug, Clone, Copy)]
enum ModelColumn {
    Provider,
    Service,
}

impl Column for ModelColumn {
    const ALL: &'static [(Self, Operator)] = &[(Self::Provider, Operator::Is), (Self::Service, Operator::Is)];

    fn text(self) -> &'static str {
        match self {
            Self::Provider => "provider {}",
            Self::Service => "service_name {}",
        }
    }
}

/// The text of a list. `$1` project; `$2` from, `$3` its nanoseconds; `$4` before, `$5` its nanoseconds; `$6` limit; the
/// place after which the page starts: `$7` value, `$8` provider, `$9` model; `$10` whether models all of whose calls
/// have a cost are listed too.
fn models(order: ModelOrder) -> String {
    let by = match order {
        ModelOrder::Cost => "-coalesce(cost, -1)",
        ModelOrder::Calls => "-billable_calls",
        ModelOrder::Tokens => "-tokens",
        ModelOrder::Name => "0::bigint",
    };
    include_str!("models.sql")
        .replace("/* value */", by)
        .replace("/* tokens */", total_tokens!())
        .replace("/* where */", PLACE)
}

/// Selects models. `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFilter {
    /// Only calls with their start in this range.
    pub range: TimeRange,
    /// Only models of this provider.
    pub provider: Option<Text>,
    /// Only calls of this service.
    pub service: Option<Text>,
    /// Only models with a billable call that told its usage and has no cost.
    pub unpriced_only: bool,
    /// What the list is ordered by.
    pub order: ModelOrder,
    /// Where the previous page ended.
    pub after: Option<ModelCursor>,
    /// Rows of one page, 1 to [`MAX_ROWS`](crate::repositories::MAX_ROWS); other values are clamped.
    pub limit: usize,
}

impl Default for ModelFilter {
    fn default() -> Self {
        Self {
            range: TimeRange::ALL,
            provider: None,
            service: None,
            unpriced_only: false,
            order: ModelOrder::Cost,
            after: None,
            limit: DEFAULT_ROWS,
        }
    }
}

/// The place of a model in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCursor {
    /// The value that the list is ordered by, negated.
    pub value: i64,
    /// The provider, or empty.
    pub provider: Text,
    /// The model, or empty.
    pub model: Text,
}

/// The use of one model. Sums are over billable calls; one beyond what an `i64` holds is cut to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelUsage {
    /// The provider; empty if the calls do not tell it.
    pub provider: Text,
    /// The model; empty if the calls do not tell it.
    pub model: Text,
    /// Calls, also those that repeat another one.
    pub calls: i64,
    /// Billable calls.
    pub billable_calls: i64,
    /// Billable calls whose usage is missing.
    pub usage_missing_calls: i64,
    /// Billable calls that told their usage and have no cost.
    pub unpriced_calls: i64,
    /// Billable calls whose cost is in another currency than the US dollar; `cost` is without them.
    pub foreign_calls: i64,
    /// Token counts.
    pub usage: TokenUsage,
    /// The cost of all calls that have one in US dollars.
    pub cost: Option<Nanodollars>,
    /// What the application says that the calls cost.
    pub reported_cost: Option<Nanodollars>,
    /// Start of the earliest call, in whole microseconds.
    pub first_seen: UnixNanos,
    /// Start of the latest call, in whole microseconds.
    pub last_seen: UnixNanos,
    /// The value that the list is ordered by, negated.
    value: i64,
}

impl From<&ModelUsage> for ModelCursor {
    fn from(usage: &ModelUsage) -> Self {
        Self { value: usage.value, provider: usage.provider.clone(), model: usage.model.clone() }
    }
}

impl ReadRow for ModelUsage {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let provider = fields.take::<Varchar>("provider")?;
        let model = fields.take::<Varchar>("model")?;
        let mut count = |name| fields.take::<Int8>(name);
        let calls = count("calls")?;
        let billable_calls = count("billable_calls")?;
        let usage_missing_calls = count("usage_missing_calls")?;
        let unpriced_calls = count("unpriced_calls")?;
        let foreign_calls = count("foreign_calls")?;
        let mut sum = |name| fields.take::<Nullable<Int8>>(name);
        Ok(Self {
            provider,
            model,
            calls,
            billable_calls,
            usage_missing_calls,
            unpriced_calls,
            foreign_calls,
            usage: TokenUsage {
                input: sum("input_tokens")?,
                output: sum("output_tokens")?,
                cache_read: sum("cache_read_tokens")?,
                cache_creation: sum("cache_creation_tokens")?,
                cache_creation_1h: sum("cache_creation_1h_tokens")?,
                reasoning: sum("reasoning_tokens")?,
                input_audio: sum("input_audio_tokens")?,
                output_audio: sum("output_audio_tokens")?,
                input_image: sum("input_image_tokens")?,
                output_image: sum("output_image_tokens")?,
            },
            cost: sum("cost")?.map(Nanodollars),
            reported_cost: sum("reported_cost")?.map(Nanodollars),
            first_seen: fields.take::<Timestamp>("first_seen")?,
            last_seen: fields.take::<Timestamp>("last_seen")?,
            value: fields.take::<Int8>("value")?,
        })
    }
}

/// The list in this order.
pub(super) fn list_by(order: ModelOrder) -> &'static Statement {
    match order {
        ModelOrder::Cost => &BY_COST,
        ModelOrder::Calls => &BY_CALLS,
        ModelOrder::Tokens => &BY_TOKENS,
        ModelOrder::Name => &BY_NAME,
    }
}

/// The parameters and conditions of a list that asks for so many rows.
pub(super) fn conditions(filter: ModelFilter, project: ProjectId, asked: i64) -> Conditions {
    let range = filter.range;
    let first = ModelCursor { value: i64::MIN, provider: Text::EMPTY, model: Text::EMPTY };
    let after = filter.after.unwrap_or(first);
    let parameters = parameters![
        project.0,
        timestamp(range.start),
        range.start.sub_micros(),
        timestamp(range.end),
        range.end_nanos(),
        asked,
        after.value,
        after.provider.to_string(),
        after.model.to_string(),
        !filter.unpriced_only,
    ];
    let text = |text: Option<Text>| text.map(|text| text.to_string());
    Conditions::behind(parameters).and(ModelColumn::Provider, Operator::Is, text(filter.provider)).and(
        ModelColumn::Service,
        Operator::Is,
        text(filter.service),
    )
}
