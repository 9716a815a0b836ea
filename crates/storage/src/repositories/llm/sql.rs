//! The statements that read LLM spans.

use super::order::LlmOrder;
use crate::models::row::Row as _;
use crate::models::{LlmRow, PriceRow};
use crate::repositories::conditions::{Column, Operator, PLACE, with_all};
use crate::statement::Statement;

/// All input and output tokens of a span; NULL when it told neither. Each is cut to half of what a bigint holds:
/// PostgreSQL would end the list at a sum beyond it.
macro_rules! total_tokens {
    () => {
        "CASE WHEN input_tokens IS NOT NULL OR output_tokens IS NOT NULL \
              THEN least(coalesce(input_tokens, 0), 4611686018427387903) \
                 + least(coalesce(output_tokens, 0), 4611686018427387903) END"
    };
}
pub(super) use total_tokens;

/// Number of parameters of a list by time before its conditions: `$1` project, `$2` from, `$3` its nanoseconds, `$4`
/// before, `$5` its nanoseconds, `$6` limit; then the place after which the page starts: `$7` start, `$8` its
/// nanoseconds, `$9` trace, `$10` span.
const BY_TIME: usize = 10;
/// The same for the other orders: `$11` is the value of the place.
const BY_VALUE: usize = BY_TIME + 1;

/// Declares each order, with its list and its list of one trace.
macro_rules! lists {
    ($($list:ident, $of_trace:ident, $name:literal, $order:ident, $ascending:literal;)+) => {
        $(
            static $list: Statement = Statement::composed(concat!("llm: ", $name), || {
                list(LlmOrder::$order, $ascending, "project_id")
            });
            // `+ 0` keeps the planner from the index of starts, which it prefers as long as it expects a handful of rows
            // per day.
            static $of_trace: Statement = Statement::composed(concat!("llm: ", $name, " of trace"), || {
                list(LlmOrder::$order, $ascending, "project_id + 0")
            });
        )+

        /// The statements of this module.
        pub(super) const STATEMENTS: &[&Statement] =
            &[$(&$list, &$of_trace,)+ &NEWEST_NARROWED, &DEAREST_NARROWED, &GET, &OF_LOG, &STATUS_MESSAGES, &PRICE];

        /// The list in this order.
        pub(super) fn list_by(order: LlmOrder, ascending: bool, of_trace: bool) -> &'static Statement {
            match (order, ascending, of_trace) {
                $(
                    (LlmOrder::$order, $ascending, false) => &$list,
                    (LlmOrder::$order, $ascending, true) => &$of_trace,
                )+
            }
        }
    };
}

lists! {
    NEWEST, NEWEST_OF_TRACE, "newest", StartTime, false;
    OLDEST, OLDEST_OF_TRACE, "oldest", StartTime, true;
    LONGEST, LONGEST_OF_TRACE, "longest", Duration, false;
    SHORTEST, SHORTEST_OF_TRACE, "shortest", Duration, true;
    DEAREST, DEAREST_OF_TRACE, "dearest", Cost, false;
    CHEAPEST, CHEAPEST_OF_TRACE, "cheapest", Cost, true;
    MOST_TOKENS, MOST_TOKENS_OF_TRACE, "most tokens", Tokens, false;
    FEWEST_TOKENS, FEWEST_TOKENS_OF_TRACE, "fewest tokens", Tokens, true;
}

/// The lists with every condition, for the test that prepares all statements.
static NEWEST_NARROWED: Statement =
    Statement::composed("llm: newest narrowed", || with_all::<LlmColumn>(NEWEST.sql(), BY_TIME));
static DEAREST_NARROWED: Statement =
    Statement::composed("llm: dearest narrowed", || with_all::<LlmColumn>(DEAREST.sql(), BY_VALUE));

/// One LLM span. `$1` trace, `$2` start, `$3` span, `$4` project.
pub(super) static GET: Statement = Statement::composed("llm: get", || {
    format!(
        "SELECT {} FROM trace_llm_spans \
         WHERE trace_id = $1 AND start_time = $2 AND span_id = $3 AND project_id = $4",
        LlmRow::TABLE.select()
    )
});

/// The call that a log record tells. `$1` trace, `$2` span, `$3` project.
pub(super) static OF_LOG: Statement = Statement::composed("llm: of log", || {
    format!(
        "SELECT {} FROM trace_llm_spans \
         WHERE trace_id = $1 AND span_id = $2 AND project_id = $3 AND log_id IS NOT NULL \
         ORDER BY start_time LIMIT 1",
        LlmRow::TABLE.select()
    )
});

/// The status messages of spans, in their order. `$1` project, `$2` traces, `$3` starts, `$4` spans; `$5` and `$6` bound the
/// starts. A look-up for each span, whatever the planner expects of the table.
pub(super) static STATUS_MESSAGES: Statement = Statement::fixed(
    "llm: status messages",
    "SELECT (SELECT status_message FROM trace_spans AS span \
             WHERE span.trace_id = of.trace_id AND span.start_time = of.start_time AND span.span_id = of.span_id \
               AND span.project_id = $1 AND span.start_time BETWEEN $5 AND $6) \
     FROM unnest($2::uuid[], $3::timestamptz[], $4::bytea[]) WITH ORDINALITY AS of (trace_id, start_time, span_id, place) \
     ORDER BY place",
);

/// A price that people set, whether it counts or was replaced. `$1` project, `$2` id.
pub(super) static PRICE: Statement = Statement::composed("llm: price", || {
    format!(
        "SELECT {} FROM model_prices WHERE id = $2 AND (project_id IS NULL OR project_id = $1) \
         ORDER BY created_at DESC LIMIT 1",
        PriceRow::TABLE.select()
    )
});

/// The value that spans are ordered by before their start; `None` for the order by time. A value that was not told is
/// less than all others.
fn value(order: LlmOrder) -> Option<String> {
    let value = match order {
        LlmOrder::StartTime => return None,
        LlmOrder::Duration => "duration_nanos",
        LlmOrder::Cost => "CASE WHEN billable AND cost_currency IS NULL THEN cost_nanos END",
        LlmOrder::Tokens => total_tokens!(),
    };
    Some(format!("coalesce({value}, {})", i64::MIN))
}

/// A page of LLM spans, each with its value. `project` is the project as an expression.
fn list(order: LlmOrder, ascending: bool, project: &str) -> String {
    const TIME: &str = "start_time, start_nanos, trace_id, span_id";
    let (beyond, direction) = if ascending { (">", "ASC") } else { ("<", "DESC") };
    let (value, after, place) = match value(order) {
        // The first condition bounds the scan of an index, which knows nothing of start_nanos.
        None => (
            "0::bigint".to_owned(),
            format!("start_time {beyond}= $7 AND ({TIME}) {beyond} ($7, $8, $9, $10)"),
            TIME.to_owned(),
        ),
        Some(value) => {
            let after = format!("({value}, {TIME}) {beyond} ($11, $7, $8, $9, $10)");
            (value, after, format!("place, {TIME}"))
        }
    };
    let sorted: Vec<_> = place.split(", ").map(|column| format!("{column} {direction}")).collect();
    format!(
        "SELECT {columns}, {value} AS place FROM trace_llm_spans \
         WHERE {project} = $1 AND start_time BETWEEN $2 AND $4 \
         AND (start_time, start_nanos) >= ($2, $3) AND (start_time, start_nanos) < ($4, $5) \
         AND {after} {PLACE} ORDER BY {sorted} LIMIT $6",
        columns = LlmRow::TABLE.select(),
        sorted = sorted.join(", "),
    )
}

/// The columns that can narrow a list of LLM spans.
#[derive(Debug, Clone, Copy)]
pub(super) enum LlmColumn {
    Kind,
    Provider,
    Model,
    Service,
    Session,
    User,
    Status,
    Billable,
    UsageMissing,
    Tool,
    Agent,
    Prompt,
    Tag,
    Trace,
    Input,
    Output,
    Total,
    Cost,
    Duration,
}

impl Column for LlmColumn {
    const ALL: &'static [(Self, Operator)] = &[
        (Self::Kind, Operator::Is),
        (Self::Provider, Operator::Is),
        (Self::Model, Operator::Is),
        (Self::Service, Operator::Is),
        (Self::Session, Operator::Is),
        (Self::User, Operator::Is),
        (Self::Status, Operator::Is),
        (Self::Billable, Operator::Is),
        (Self::UsageMissing, Operator::Is),
        (Self::Tool, Operator::Is),
        (Self::Agent, Operator::Is),
        (Self::Prompt, Operator::Is),
        (Self::Tag, Operator::Contains),
        (Self::Trace, Operator::Is),
        (Self::Input, Operator::AtLeast),
        (Self::Input, Operator::AtMost),
        (Self::Output, Operator::AtLeast),
        (Self::Output, Operator::AtMost),
        (Self::Total, Operator::AtLeast),
        (Self::Total, Operator::AtMost),
        (Self::Cost, Operator::AtLeast),
        (Self::Cost, Operator::AtMost),
        (Self::Duration, Operator::AtLeast),
        (Self::Duration, Operator::AtMost),
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Kind => "kind {}",
            Self::Provider => "provider {}",
            // Exactly the expressions of the indexes trace_llm_spans_model and trace_llm_spans_session; otherwise PostgreSQL
            // does not use them. `$1` is the project.
            Self::Model => {
                "hashtextextended(coalesce(request_model, response_model), project_id) = hashtextextended({value}, $1) \
                 AND coalesce(request_model, response_model) {}"
            }
            Self::Session => {
                "hashtextextended(session_id, project_id) = hashtextextended({value}, $1) AND session_id {}"
            }
            Self::Service => "service_name {}",
            Self::User => "user_id {}",
            Self::Status => "coalesce(status_code, 0) {}",
            Self::Billable => "billable {}",
            Self::UsageMissing => "usage_missing {}",
            Self::Tool => "tool_name {}",
            Self::Agent => "agent_name {}",
            Self::Prompt => "prompt_name {}",
            Self::Tag => "tags {}",
            Self::Trace => "trace_id {}",
            Self::Input => "input_tokens {}",
            Self::Output => "output_tokens {}",
            Self::Total => concat!(total_tokens!(), " {}"),
            Self::Cost => "billable AND cost_currency IS NULL AND cost_nanos {}",
            Self::Duration => "duration_nanos {}",
        }
    }
}
