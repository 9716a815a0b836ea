//! Rereading the calls that log records tell.

use harness::TestDatabase;
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::{LogObservation, Scope, log_call};
use llm_observatory_storage::maintenance::run::{Run, RunKind};
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::{LlmRow, LogRow};
use llm_observatory_storage::writers::set_prices;
use llm_observatory_storage::{LogWriter, StoragePool};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::rows::{self, count};
use crate::runs::{all, finish, price};

/// A log record that tells a call of 10 tokens in and 1 out, with all that PostgreSQL writes otherwise than we do.
fn record(id: u128, time: UnixNanos) -> LogRow {
    let attributes = [
        Attribute::new("gen_ai.usage.output_tokens", 1),
        Attribute::new("gen_ai.operation.name", "chat"),
        Attribute::new("gen_ai.request.model", "own"),
        Attribute::new("event.name", "gen_ai.client.inference.operation.details"),
        Attribute::new("gen_ai.usage.input_tokens", 10),
        Attribute::new("gen_ai.request.temperature", 1.0),
        Attribute::new("twice", 1e300),
        Attribute::new("twice", -0.0),
        Attribute::new("odd", "a\0b \u{e4}\u{7f} \"<"),
        Attribute::new("bytes", Value::Bytes(b"\xff\0".as_slice().into())),
        Attribute::new("id", id as i64),
    ];
    let body = Value::Map(vec![Attribute::new("zz", 2.50), Attribute::new("a", Value::Empty)]);
    let mut log = rows::log(id, time);
    log.attributes = Attributes::new(&attributes);
    log.body = ValueColumns::encode(&body, &mut Default::default());
    let told = log_call(&LogObservation {
        scope: Scope { name: "", version: "" },
        event_name: &log.event_name,
        attributes: &attributes,
        body: &body,
        is_in_span: false,
    });
    log.call = told.map(|call| Box::new(LlmRow::of_log(&log, call)));
    assert!(log.call.is_some());
    log
}

async fn store(pool: &StoragePool, logs: Vec<LogRow>) {
    let writer = LogWriter::new(pool.clone());
    for log in logs {
        writer.write_log(log).await.unwrap();
    }
    writer.flush().await.unwrap();
}

/// All columns of all rows, in the order of the key.
async fn readings(client: &Client) -> Vec<String> {
    let query = "SELECT llm::text FROM trace_llm_spans AS llm ORDER BY trace_id, start_time, span_id";
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Rereads everything, and returns how many rows it looked at and changed.
async fn reread(pool: &StoragePool) -> (u64, u64) {
    let progress = finish(&Run::open(pool, all(RunKind::Reread)).await.unwrap()).await;
    (progress.done, progress.changed)
}

/// A database with 25 records, of which each run takes ten at once, and their readings.
async fn stored() -> (TestDatabase, StoragePool, Client, Vec<String>) {
    let database = TestDatabase::new().await;
    let pool = database.pool_with(|config| config.runs.batch_rows = 10).await.unwrap();
    set_prices(&database.writer().await, &[price("own", 2)]).await.unwrap();
    let (now, second) = (rows::now().0, 1_000_000_000);
    store(&pool, (1..=25).map(|n| record(n, UnixNanos(now - n as u64 * second))).collect()).await;
    let client = database.client().await;
    let found = readings(&client).await;
    assert_eq!((found.len(), count(&client, "trace_llm_spans WHERE cost_nanos = 22").await), (25, 25));
    (database, pool, client, found)
}

#[tokio::test]
async fn records_that_are_read_as_before_change_nothing() {
    let (_database, pool, client, before) = stored().await;
    assert_eq!(reread(&pool).await, (50, 0), "each row and each record was looked at");
    assert_eq!(readings(&client).await, before);
}

#[tokio::test]
async fn calls_that_nobody_saw_are_found_and_have_the_ids_that_they_would_have() {
    let (_database, pool, client, before) = stored().await;
    client.batch_execute("DELETE FROM trace_llm_spans").await.unwrap();
    assert_eq!(reread(&pool).await, (25, 25));
    assert_eq!(readings(&client).await, before);
    // The same records come again.
    let now = rows::now();
    store(&pool, vec![record(100, now), LogRow { id: Uuid::from_u128(101), ..record(100, now) }]).await;
    assert_eq!(count(&client, "trace_llm_spans").await, 26);
    assert_eq!(reread(&pool).await, (26 + 27, 0));
}

#[tokio::test]
async fn a_row_of_other_rules_is_replaced_and_counts_once() {
    let (_database, pool, client, before) = stored().await;
    // Read otherwise: other tokens, and for some another start, which is a part of the key.
    let otherwise = "UPDATE trace_llm_spans SET input_tokens = 999, cost_nanos = NULL, price_id = NULL;
        UPDATE trace_llm_spans SET start_time = start_time - interval '2 s', duration_nanos = 2000000000
        WHERE extract(second FROM start_time)::integer % 2 = 0";
    client.batch_execute(otherwise).await.unwrap();
    let (done, changed) = reread(&pool).await;
    // A row whose key grew may be met again behind the place where its batch ended.
    assert!(done >= 50 && changed == 25, "{done} {changed}");
    assert_eq!(readings(&client).await, before);
}

#[tokio::test]
async fn a_stored_row_stays_where_an_operator_keeps_the_new_one_out() {
    let (_database, pool, client, before) = stored().await;
    let spoil = "UPDATE trace_llm_spans SET input_tokens = 999, cost_nanos = NULL, price_id = NULL;
        ALTER TABLE trace_llm_spans ADD CHECK (input_tokens = 999 OR log_id <> '00000000-0000-0000-0000-000000000005')";
    client.batch_execute(spoil).await.unwrap();
    assert_eq!(reread(&pool).await, (50, 24));
    let after = readings(&client).await;
    assert_eq!(after.iter().filter(|row| before.contains(*row)).count(), 24);
    let kept = "trace_llm_spans WHERE input_tokens = 999 AND log_id = '00000000-0000-0000-0000-000000000005'";
    assert_eq!(count(&client, kept).await, 1);
}

#[tokio::test]
async fn a_record_that_tells_no_call_any_more_has_no_row_and_one_that_is_gone_keeps_its() {
    let (_database, pool, client, _) = stored().await;
    let change = "UPDATE logs SET attributes_json = '{}', attributes_layout = NULL WHERE id = '00000000-0000-0000-0000-000000000001';
        DELETE FROM logs WHERE id = '00000000-0000-0000-0000-000000000002'";
    client.batch_execute(change).await.unwrap();
    assert_eq!(reread(&pool).await, (25 + 24, 1));
    assert_eq!(count(&client, "trace_llm_spans").await, 24);
    assert_eq!(
        count(&client, "trace_llm_spans WHERE log_id = '00000000-0000-0000-0000-000000000002'").await,
        1
    );
}

#[tokio::test]
async fn a_run_over_records_goes_on_where_it_stopped() {
    let (_database, pool, client, before) = stored().await;
    client.batch_execute("DELETE FROM trace_llm_spans").await.unwrap();
    let run = Run::open(&pool, all(RunKind::Reread)).await.unwrap();
    assert_eq!(run.step().await.unwrap().done, 10);
    drop(run);
    let again = Run::open(&pool, all(RunKind::Reread)).await.unwrap();
    assert_eq!(again.step().await.unwrap().done, 20, "it continues behind the last committed record");
    let end = finish(&again).await;
    assert_eq!((end.done, end.changed), (25, 25));
    assert_eq!(readings(&client).await, before);
}
