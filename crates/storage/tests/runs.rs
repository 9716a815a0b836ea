//! Runs over stored LLM spans: they stop anywhere, go on there, and are exact while writers go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::{TestDatabase, eventually};
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::{Currency, Price, Rate, ServiceTier, Unit};
use llm_observatory_storage::maintenance::run::{Progress, Run, RunKind, RunScope};
use llm_observatory_storage::models::attributes::Attributes;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::writers::set_prices;
use llm_observatory_storage::{StoragePool, TraceWriter};
use tokio_postgres::Client;

use crate::rows::{self, count};

async fn pool(database: &TestDatabase) -> StoragePool {
    database.pool_with(|config| config.runs.batch_rows = 10).await.unwrap()
}

/// A call of `model` with 10 tokens in and 1 out, as it comes from decoding.
fn call(trace: u128, id: u64, model: &str) -> Span {
    let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
    reading.request_model = Some(model.into());
    (reading.usage.input, reading.usage.output) = (Some(10), Some(1));
    Span { llm: Some(Arc::new(reading)), ..rows::span(trace, id, rows::now()).into() }
}

/// A price of `model` from the beginning, in billionths of a dollar for a token of either kind.
pub(crate) fn price(model: &str, token: i64) -> Price {
    let rate = |unit| Rate { unit, service: ServiceTier::Standard, from: 0, price: token * 1_000_000 };
    let rates = vec![rate(Unit::Input), rate(Unit::Output)];
    Price::new(None, "*", model, UnixNanos(0), Currency::USD, rates, "a test").unwrap()
}

async fn store(pool: &StoragePool, spans: Vec<Span>) {
    let writer = TraceWriter::new(pool.clone());
    writer.write_trace(spans).await.unwrap();
    writer.flush().await.unwrap();
}

pub(crate) fn all(kind: RunKind) -> RunScope {
    RunScope { kind, from: UnixNanos(0), until: UnixNanos(u64::MAX), project: None, model: None }
}

pub(crate) async fn finish(run: &Run) -> Progress {
    loop {
        let progress = run.step().await.unwrap();
        if progress.is_finished {
            return progress;
        }
    }
}

/// Each cost and the number of rows that have it, in a readable form.
async fn costs(client: &Client) -> Vec<(String, Option<i64>, i64)> {
    let query = "SELECT request_model, cost_nanos, count(*) FROM trace_llm_spans GROUP BY 1, 2 ORDER BY 1, 2";
    let rows = client.query(query, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_run_goes_on_where_it_stopped() {
    let database = TestDatabase::new().await;
    let (pool, client) = (pool(&database).await, database.client().await);
    let spans = (0..50).flat_map(|n| [call(n, 1, "own-a"), call(n, 2, "own-b")]).collect();
    store(&pool, spans).await;
    let unknown = |model: &str| (model.to_owned(), None, 50);
    assert_eq!(costs(&client).await, [unknown("own-a"), unknown("own-b")]);
    set_prices(&database.writer().await, &[price("own-a", 2), price("own-b", 3)]).await.unwrap();

    let of_b = |model: &'static str| RunScope { model: Some(model.into()), ..all(RunKind::Reprice) };
    let progress = finish(&Run::open(&pool, of_b("own-b")).await.unwrap()).await;
    assert_eq!((progress.done, progress.changed), (100, 50));
    let of_others = finish(&Run::open(&pool, of_b("own-b*")).await.unwrap()).await;
    assert_eq!((of_others.done, of_others.changed), (100, 0));
    assert_eq!(costs(&client).await, [unknown("own-a"), ("own-b".to_owned(), Some(33), 50)]);

    let run = Run::open(&pool, all(RunKind::Reprice)).await.unwrap();
    run.step().await.unwrap();
    let stopped = run.step().await.unwrap();
    assert_eq!((stopped.done, stopped.is_finished), (20, false));
    drop(run);
    let again = Run::open(&pool, all(RunKind::Reprice)).await.unwrap();
    assert_eq!(again.step().await.unwrap().done, 30, "it continues behind the last committed row");
    let finished = finish(&again).await;
    assert_eq!((finished.done, finished.changed), (100, 50));
    assert_eq!(
        costs(&client).await,
        [("own-a".to_owned(), Some(22), 50), ("own-b".to_owned(), Some(33), 50)]
    );
    assert_eq!(count(&client, "llm_runs WHERE finished_at IS NOT NULL").await, 3);

    let another = finish(&Run::open(&pool, all(RunKind::Reprice)).await.unwrap()).await;
    assert_eq!((another.done, another.changed), (100, 0), "a run that is over is not continued");
}

#[tokio::test]
async fn repricing_begins_anew_when_prices_change() {
    let database = TestDatabase::new().await;
    let (pool, client) = (pool(&database).await, database.client().await);
    let setter = database.writer().await;
    set_prices(&setter, &[price("own", 2)]).await.unwrap();
    // An agent repeats the tokens of its calls, and costs nothing.
    let agent = |n| {
        let mut span = call(n, 1, "agent");
        Arc::make_mut(span.llm.as_mut().unwrap()).is_call = false;
        span
    };
    store(&pool, (0..20).flat_map(|n| [agent(n), call(n, 2, "own")]).collect()).await;
    set_prices(&setter, &[price("own", 3), price("agent", 3)]).await.unwrap();

    let run = Run::open(&pool, all(RunKind::Reprice)).await.unwrap();
    run.step().await.unwrap();
    assert_eq!(
        run.step().await.unwrap(),
        Progress { done: 20, changed: 10, expected: None, is_finished: false }
    );
    set_prices(&setter, &[price("own", 4)]).await.unwrap();
    assert_eq!(run.step().await.unwrap().done, 10, "what has the price before is done again");
    run.step().await.unwrap();
    // A later run with the same command goes on by the same prices.
    drop(run);
    let run = Run::open(&pool, all(RunKind::Reprice)).await.unwrap();
    let finished = finish(&run).await;
    assert_eq!((finished.done, finished.changed), (40, 30));
    assert_eq!(costs(&client).await, [("agent".to_owned(), None, 20), ("own".to_owned(), Some(44), 20)]);
    assert_eq!(count(&client, "llm_runs").await, 1);
}

#[tokio::test]
async fn a_row_that_changes_while_it_is_repriced_is_read_again() {
    let database = TestDatabase::new().await;
    let (pool, client, other) = (pool(&database).await, database.client().await, database.client().await);
    store(&pool, (0..10).map(|n| call(n, 1, "own")).collect()).await;
    set_prices(&database.writer().await, &[price("own", 2)]).await.unwrap();

    other
        .batch_execute(
            "BEGIN; UPDATE trace_llm_spans SET input_tokens = 20 WHERE trace_id = (SELECT max(trace_id::text)::uuid \
             FROM trace_llm_spans)",
        )
        .await
        .unwrap();
    let run = tokio::spawn(async move {
        let run = Run::open(&pool, all(RunKind::Reprice)).await.unwrap();
        finish(&run).await
    });
    eventually("the run waits for the row", async || {
        match count(
            &client,
            "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        .await
        {
            1 => Ok(()),
            waiting => Err(format!("{waiting} wait")),
        }
    })
    .await;
    other.batch_execute("COMMIT").await.unwrap();
    assert_eq!(run.await.unwrap().changed, 10);
    let own = |cost, rows| ("own".to_owned(), Some(cost), rows);
    assert_eq!(costs(&client).await, [own(22, 9), own(42, 1)]);
}

#[tokio::test]
async fn prices_change_while_writers_go_on() {
    let database = TestDatabase::new().await;
    let (pool, client) = (pool(&database).await, database.client().await);
    let setter = database.writer().await;
    set_prices(&setter, &[price("own", 1)]).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (1..=3_u128)
        .map(|writer| {
            let (pool, stop) = (pool.clone(), stop.clone());
            tokio::spawn(async move {
                let mut traces = 0;
                while !stop.load(Ordering::Relaxed) {
                    traces += 1;
                    let trace = writer * 1_000_000 + traces;
                    store(&pool, (1..=5).map(|id| call(trace, id, "own")).collect()).await;
                }
                traces
            })
        })
        .collect();
    for token in 2..=6 {
        set_prices(&setter, &[price("own", token)]).await.unwrap();
        finish(&Run::open(&pool, all(RunKind::Reprice)).await.unwrap()).await;
        let odd = format!("trace_llm_spans WHERE cost_nanos IS DISTINCT FROM {}", 11 * token);
        assert_eq!(count(&client, &odd).await, 0, "every row has the price of now");
    }
    stop.store(true, Ordering::Relaxed);
    let mut traces = 0;
    for writer in writers {
        traces += writer.await.unwrap();
    }
    assert_eq!(costs(&client).await, [("own".to_owned(), Some(66), 5 * traces as i64)]);
}

#[tokio::test]
async fn spans_are_read_again_with_their_traces() {
    let database = TestDatabase::new().await;
    let (pool, client) = (pool(&database).await, database.client().await);
    set_prices(&database.writer().await, &[price("own", 2)]).await.unwrap();
    // As a daemon without dialects would have stored them: an outer call that repeats the tokens of an inner one.
    let chat = |id| {
        let mut row = rows::span(7, id, rows::now());
        row.attributes = Attributes::new(&[
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.request.model", "own"),
            Attribute::new("gen_ai.usage.input_tokens", 10),
            Attribute::new("gen_ai.usage.output_tokens", 1),
        ]);
        row.end_time = row.start_time;
        row
    };
    let (outer, mut inner) = (chat(1), chat(2));
    inner.parent_span_id = Some(outer.span_id);
    store(&pool, vec![outer.into(), inner.into(), rows::span(8, 1, rows::now()).into()]).await;
    assert_eq!(count(&client, "trace_llm_spans").await, 0);

    let progress = finish(&Run::open(&pool, all(RunKind::Reread)).await.unwrap()).await;
    assert_eq!((progress.done, progress.changed), (3, 2));
    let query = "SELECT billable, cost_nanos FROM trace_llm_spans ORDER BY span_id";
    let read: Vec<(bool, Option<i64>)> =
        client.query(query, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(read, [(false, Some(22)), (true, Some(22))]);
    assert_eq!(count(&client, "traces WHERE llm_calls = 2").await, 1);

    let again = finish(&Run::open(&pool, all(RunKind::Reread)).await.unwrap()).await;
    assert_eq!((again.done, again.changed), (3, 0), "a reading that stays the same is not written");
}

#[tokio::test]
async fn a_step_that_is_no_call_gets_no_cost() {
    let database = TestDatabase::new().await;
    let (pool, client) = (pool(&database).await, database.client().await);
    let mut agent = call(1, 1, "own");
    let reading = Arc::make_mut(agent.llm.as_mut().unwrap());
    (reading.kind, reading.is_call) = (LlmKind::Agent, false);
    store(&pool, vec![agent, call(1, 2, "own")]).await;
    set_prices(&database.writer().await, &[price("own", 2)]).await.unwrap();
    let progress = finish(&Run::open(&pool, all(RunKind::Reprice)).await.unwrap()).await;
    assert_eq!((progress.done, progress.changed), (2, 1));
    assert_eq!(count(&client, "trace_llm_spans WHERE NOT is_call AND cost_nanos IS NULL").await, 1);
}
