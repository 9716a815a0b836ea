//! LLM spans take over session and user from the spans above them, whatever batches these came in.

use std::sync::Arc;

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::speaker::Speaker;
use llm_observatory_storage::maintenance::settling::{self, Again, Days, Settled, Trace};
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::trace::Span;

use crate::rows::{self, MIDNIGHT};
use crate::settling::{NOON, Store, at_once, call, plain, tool};

/// The span, telling this session and this user; an empty text is none.
pub(crate) fn speaking(session: &'static str, user: &'static str, mut span: Span) -> Span {
    let told = [("session.id", session), ("user.id", user)];
    let told = told.into_iter().filter(|(_, text)| !text.is_empty());
    let attributes: Vec<_> = told.map(|(key, text)| Attribute::new(key, text)).collect();
    let speaker = Speaker::of_attributes(&attributes);
    match &mut span.llm {
        Some(reading) => {
            let Speaker { session_id, user_id } = speaker.unwrap_or_default();
            let reading = Arc::make_mut(reading);
            (reading.session_id, reading.user_id) = (session_id, user_id);
        }
        None => {
            span.row.attributes = Attributes::new(&attributes);
            span.speaker = speaker.map(Box::new);
        }
    }
    span
}

/// A call that tells its usage.
fn chat(id: u64, parent: u64) -> Span {
    call(id, parent, Some(1), NOON)
}

impl Store {
    /// Of each LLM span its session and its user, with a `^` before what was taken over; in the order of their ids.
    async fn speakers(&self) -> Vec<String> {
        let shown = |field: &str| {
            format!("CASE WHEN {field}_taken_over THEN '^' ELSE '' END || coalesce({field}_id, '-')")
        };
        let query = format!(
            "SELECT {} || ' ' || {} FROM trace_llm_spans ORDER BY span_id",
            shown("session"),
            shown("user")
        );
        self.writer.query(&query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Reads all spans of the first trace that start on the day again.
    async fn reread_day(&self, day: UnixNanos) -> Settled {
        let trace = Trace { trace_id: rows::trace_id(1), project_id: ProjectId::DEFAULT };
        let days = Days::Between(day.day(), day.day());
        self.writer.batch_execute("BEGIN").await.unwrap();
        let settled = settling::settle(&self.writer, trace, days, Again::All, &at_once()).await.unwrap();
        self.writer.batch_execute("COMMIT").await.unwrap();
        settled
    }
}

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[tokio::test]
async fn a_call_takes_over_what_the_nearest_span_above_it_tells() {
    let spans = [
        speaking("s", "u", plain(1, 0, NOON)),
        speaking("", "agent's", tool(2, 1, NOON)),
        plain(3, 2, NOON),
        chat(4, 3),
        speaking("own", "", chat(5, 3)),
        chat(6, 0),
    ];
    let expected = ["^s agent's", "^s ^agent's", "own ^agent's", "- -"];
    let store = Store::new().await;
    store.spans(spans.clone()).await;
    assert_eq!(store.notes().await, 0, "a batch that has all decides at once");
    assert_eq!(store.speakers().await, expected);
    for spans in [spans.clone().to_vec(), spans.into_iter().rev().collect()] {
        let store = Store::new().await;
        for span in spans {
            store.spans([span]).await;
        }
        store.settle().await;
        assert_eq!(store.speakers().await, expected);
        store.assert_calls().await;
    }
}

#[tokio::test]
async fn one_call_below_one_span_that_tells() {
    // No trace of two calls, which is settled anyway.
    let spans = [speaking("s", "u", plain(1, 0, NOON)), plain(2, 1, NOON), chat(3, 2)];
    for order in ORDERS {
        let store = Store::new().await;
        for place in order {
            store.spans([spans[place].clone()]).await;
            store.settle().await;
        }
        assert_eq!(store.speakers().await, ["^s ^u"], "{order:?}");
        assert_eq!(store.notes().await, 0, "{order:?}");
    }
}

#[tokio::test]
async fn what_comes_nearer_later_takes_the_place() {
    let store = Store::new().await;
    store.spans([speaking("far", "u", plain(1, 0, NOON)), chat(3, 2)]).await;
    store.spans([plain(2, 1, NOON)]).await;
    store.settle().await;
    assert_eq!(store.speakers().await, ["^far ^u"]);
    // A better version of the span between them tells a session.
    let mut better = speaking("near", "", plain(2, 1, NOON));
    better.row.end_time = UnixNanos(better.row.end_time.0 + 1);
    store.spans([better]).await;
    store.settle().await;
    assert_eq!(store.speakers().await, ["^near ^u"]);
    // And at last the call itself.
    let mut better = speaking("own", "", chat(3, 2));
    better.row.end_time = UnixNanos(better.row.end_time.0 + 1);
    store.spans([better]).await;
    store.settle().await;
    assert_eq!(store.speakers().await, ["own ^u"]);
}

#[tokio::test]
async fn traces_of_which_every_call_tells_or_none_does_are_not_settled() {
    for (session, user) in [("", ""), ("s", ""), ("s", "u")] {
        let store = Store::new().await;
        store.spans([speaking(session, user, chat(3, 2))]).await;
        store.spans([speaking(session, user, tool(4, 2, NOON))]).await;
        store.spans([speaking(session, user, plain(2, 1, NOON)), plain(1, 0, NOON)]).await;
        assert_eq!(store.notes().await, 0, "{session:?} {user:?}");
    }
    // Nor are those whose speaker came with all that is below.
    let store = Store::new().await;
    store.spans([speaking("s", "u", plain(2, 1, NOON)), chat(3, 2), tool(4, 2, NOON)]).await;
    store.spans([plain(1, 0, NOON)]).await;
    assert_eq!(store.notes().await, 0);
    assert_eq!(store.speakers().await, ["^s ^u", "^s ^u"]);
}

#[tokio::test]
async fn spans_on_both_sides_of_midnight_are_one_trace() {
    let (before, after) = (UnixNanos(MIDNIGHT.0 - 500_000), UnixNanos(MIDNIGHT.0 + 100_000));
    let spans = [speaking("s", "u", plain(1, 0, before)), plain(2, 1, before), call(3, 2, Some(1), after)];
    for order in ORDERS {
        let store = Store::new().await;
        for place in order {
            store.spans([spans[place].clone()]).await;
            store.settle().await;
        }
        assert_eq!(store.speakers().await, ["^s ^u"], "{order:?}");
    }
}

/// A call, a day after the span above it, as a real client sends it.
async fn days_apart() -> Store {
    let store = Store::new().await;
    let mut late = call(3, 2, Some(1), UnixNanos(MIDNIGHT.0 + 100_000));
    late.row.attributes = Attributes::new(&[
        Attribute::new("gen_ai.operation.name", "chat"),
        Attribute::new("gen_ai.usage.input_tokens", 1),
    ]);
    let above = speaking("s", "u", plain(2, 0, UnixNanos(MIDNIGHT.0 - 500_000)));
    store.spans([above, late]).await;
    assert_eq!(store.speakers().await, ["^s ^u"]);
    store
}

#[tokio::test]
async fn what_was_taken_over_stays_when_spans_are_read_again() {
    let store = days_apart().await;
    let days = [MIDNIGHT, UnixNanos(MIDNIGHT.0 + 1)];
    for (day, changed) in [(days[1], 1), (days[0], 0), (days[1], 0)] {
        let settled = store.reread_day(day).await;
        assert_eq!((settled.spans, settled.changed), (2, changed), "the reading knows its operation now");
        assert_eq!(store.speakers().await, ["^s ^u"]);
    }
    // As the binary before schema version 9 stored it.
    store.writer.batch_execute("DELETE FROM trace_llm_spans; UPDATE traces SET speakers = 0").await.unwrap();
    assert_eq!(store.reread_day(days[1]).await.changed, 1);
    assert_eq!(store.speakers().await, ["^s ^u"]);
}

#[tokio::test]
async fn a_trace_is_settled_with_all_days_that_follow_each_other() {
    let store = days_apart().await;
    // Somebody notes the second day alone.
    store.spans([call(4, 3, Some(1), UnixNanos(MIDNIGHT.0 + 200_000))]).await;
    store.settle().await;
    assert_eq!(store.speakers().await, ["^s ^u", "^s ^u"]);
}

#[tokio::test]
async fn what_log_records_made_an_llm_span_lacks_a_speaker_too() {
    let store = Store::new().await;
    // Its reading is new to the trace, as one is that was made of log records.
    store.spans([Span { llm: None, ..call(3, 2, None, NOON) }]).await;
    let attributes = Attributes::new(&[Attribute::new("gen_ai.operation.name", "chat")]);
    let update = "UPDATE trace_spans SET attributes_json = $1, attributes_layout = NULL";
    let json = String::from_utf8(attributes.json.to_vec()).unwrap();
    store.writer.execute(update, &[&json]).await.unwrap();
    assert_eq!(store.reread_day(NOON).await.changed, 1);
    store.spans([speaking("s", "u", plain(2, 0, NOON))]).await;
    assert_eq!(store.settle().await, 1, "the trace knows that a span lacks its speaker");
    assert_eq!(store.speakers().await, ["^s ^u"]);
}
