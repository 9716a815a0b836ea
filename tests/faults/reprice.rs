//! `observatory reprice` and `observatory reread` are killed half way and started again, while clients export calls of the same
//! models and prices change. Afterwards every cost is as if the prices of now had always been so.

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use harness::daemon::Options;
use harness::{Daemon, TestDatabase, command, eventually};
use serde_json::Value as Json;
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::calls::{Calls, DAYS, LLM_SPANS, MODELS, SPANS, Sums, Tariff};
use crate::exporter::{Answers, Connection, Target, daemon_on};
use crate::oracle::Oracle;
use crate::run::Run;

/// Exporters at once that fill the tables.
const EXPORTERS: u64 = 4;
/// Traces in one of their requests.
const REQUEST: u64 = 50;
/// Traces in one request, while a run goes on.
const FEW: u64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_reprice_while_prices_change() {
    let run = Run::of("kill -9 of reprice while prices change");
    // Seven of eight traces are on the days that are repriced.
    let stage = Stage::set(run, run.pick(2_560, 128_000)).await;
    let (calls, url) = (&stage.calls, &*stage.database.url());
    let mut prices = Tariff::catalogue();
    prices.set(calls, url, (1, 0), "USD", [1_000_000_001, 100_000_000, 3_333_333_333]).await;
    let rows = stage.fill().await;
    let before = prices.clone();
    let traffic = Traffic::start(&stage);

    prices.set(calls, url, (0, 0), "USD", [3_000_000_007, 1_500_000_000, 12_345_678_901]).await;
    prices.set(calls, url, (1, 0), "USD", [2_000_000_003, 200_000_000, 4_000_000_009]).await;
    prices.set(calls, url, (2, 2), "USD", [500_000_000, 50_000_001, 700_000_000]).await;
    let begin = Instant::now();
    let stopped = stage.kill_at("reprice", rows / 3).await;
    let mut again = stage.start("reprice");
    let resumed = stage.progress_beyond(&mut again, stopped.done).await;
    assert_eq!((resumed.runs, resumed.version), (1, stopped.version), "the run goes on where it stopped");

    // What is repriced already has the price before this one.
    prices.set(calls, url, (1, 0), "USD", [1_111_111_111, 111_111_111, 5_555_555_555]).await;
    prices.set(calls, url, (2, 0), "EUR", [7_000_000_001, 70_000_001, 9_000_000_000]).await;
    eventually("the run begins anew", async || match stage.progress().await {
        progress if progress.version > stopped.version => Ok(()),
        progress => Err(format!("{progress:?}")),
    })
    .await;
    again.kill().await.unwrap();
    stage.kill_at("reprice", rows / 2).await;
    let (status, told) = stage.finish("reprice").await;
    println!("{told:?} in {:?}, {} of {rows} at the first kill", begin.elapsed(), stopped.done);
    assert!(status.success() && told.contains("looked at"), "{told}");
    let ended = stage.progress().await;
    assert!(ended.runs == 1 && ended.is_finished && ended.done >= rows, "{ended:?}");

    let sent = traffic.finish().await;
    println!("{sent:?}; answers: {}", stage.answers);
    let of_day = |day: u64| if (1..DAYS - 1).contains(&day) { &prices } else { &before };
    let sums = stage.audit(sent, of_day).await;
    assert_eq!(listed(&stage.daemon).await, sums, "ListModels has the same sums");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_reread_over_spoilt_readings() {
    let run = Run::of("kill -9 of reread over spoilt readings");
    let stage = Stage::set(run, run.pick(1_024, 12_800)).await;
    let prices = Tariff::catalogue();
    stage.fill().await;
    stage.client.batch_execute(SPOIL).await.unwrap();
    let traffic = Traffic::start(&stage);

    let begin = Instant::now();
    let spans = stage.calls.traces() * SPANS * 7 / 8;
    let stopped = stage.kill_at("reread", spans / 3).await;
    stage.kill_at("reread", stopped.done.max(spans / 2)).await;
    let (status, told) = stage.finish("reread").await;
    println!("{told:?} in {:?}, {} of {spans} at the first kill", begin.elapsed(), stopped.done);
    assert!(status.success() && told.contains("looked at"), "{told}");
    let ended = stage.progress().await;
    assert!(ended.runs == 1 && ended.is_finished && ended.done >= spans, "{ended:?}");

    let sent = traffic.finish().await;
    println!("{sent:?}; answers: {}", stage.answers);
    stage.audit(sent, |_| &prices).await;
}

/// Makes stored readings of the days between the first and the last one wrong: as a program of wrong rules would have written
/// them, or as if it had taken some for no LLM spans, and others for some.
const SPOIL: &str = "
    DO $$ BEGIN
        CREATE TEMPORARY TABLE inside AS
            SELECT trace_id, start_time, span_id, project_id, service_name, name, get_byte(span_id, 7) % 16 AS place
            FROM trace_spans
            WHERE start_time >= (SELECT date_trunc('day', min(start_time)) + interval '1 day' FROM trace_spans)
              AND start_time < (SELECT date_trunc('day', max(start_time)) FROM trace_spans);
        UPDATE trace_llm_spans SET dialect = 'vercel_ai', reading_version = 0, is_call = NOT is_call, billable = NOT billable,
            request_model = 'spoilt', response_model = 'spoilt', input_tokens = 7, cache_read_tokens = NULL,
            output_tokens = output_tokens * 3, cost_nanos = 1, price_id = 1
        WHERE span_id IN (SELECT span_id FROM inside WHERE place IN (1, 4, 9));
        DELETE FROM trace_llm_spans WHERE span_id IN (SELECT span_id FROM inside WHERE place IN (5, 10));
        INSERT INTO trace_llm_spans (start_time, project_id, start_nanos, reading_version, is_call, billable, usage_missing,
                                     may_be_hidden, session_taken_over, user_taken_over, trace_id, span_id, kind, dialect, service_name, name)
        SELECT start_time, project_id, 0, 0, true, true, true, false, false, false, trace_id, span_id, 'llm', 'otel_genai', service_name, name
        FROM inside WHERE place = 2;
    END $$";

/// A daemon, its database, and what is sent to it.
struct Stage {
    run: Run,
    database: TestDatabase,
    client: Client,
    daemon: Daemon,
    calls: Calls,
    oracle: Arc<Oracle>,
    answers: Answers,
}

/// How far the last run came.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// How many runs there are.
    runs: i64,
    done: u64,
    version: Option<i64>,
    is_finished: bool,
}

impl Stage {
    async fn set(run: Run, traces: u64) -> Self {
        let database = TestDatabase::new().await;
        let options: Options = daemon_on(database.url())
            .environment("OBSERVATORY_STORAGE__SETTLING__INTERVAL_MS", "50")
            .environment("OBSERVATORY_STORAGE__SETTLING__DELAY_MS", "0");
        let (client, daemon) = (database.client().await, options.start());
        let (calls, oracle, answers) = (Calls::of(run.seed, traces), Oracle::of(run), Answers::default());
        Self { run, database, client, daemon, calls, oracle, answers }
    }

    fn connection(&self) -> Connection {
        Connection::to(&Target::at(self.daemon.ingest()), &self.answers)
    }

    /// Exports the traces that are there from the beginning. Returns how many LLM spans a run is about.
    async fn fill(&self) -> u64 {
        let begin = Instant::now();
        let mut exporters = JoinSet::new();
        let next = Arc::new(AtomicU64::new(0));
        for _ in 0..EXPORTERS {
            let (next, calls, oracle) = (next.clone(), self.calls.clone(), self.oracle.clone());
            let mut connection = self.connection();
            exporters.spawn(async move {
                loop {
                    let first = next.fetch_add(REQUEST, Ordering::Relaxed);
                    if first >= calls.traces() {
                        return;
                    }
                    let request = calls.whole(first..calls.traces().min(first + REQUEST));
                    connection.deliver(&oracle, &request).await;
                }
            });
        }
        exporters.join_all().await;
        let inside = (0..self.calls.traces()).filter(|trace| self.calls.is_inside(*trace)).count() as u64;
        println!("{} spans in {:?}", self.calls.traces() * SPANS, begin.elapsed());
        inside * LLM_SPANS
    }

    /// Starts `observatory reprice` or `reread` over the days between the first and the last one.
    fn start(&self, kind: &str) -> Child {
        let (url, from, to) = (self.database.url(), self.calls.date(1), self.calls.date(DAYS - 1));
        // So small in the short form that a run is not over before it is seen half way.
        let rows = self.run.pick("50", "2000");
        command::observatory(
            &[kind, "--database-url", &url, "--from", &from, "--to", &to],
            &[("OBSERVATORY_STORAGE__RUNS__BATCH_ROWS", rows)],
        )
        .spawn()
        .unwrap()
    }

    async fn progress(&self) -> Progress {
        let query = "
            SELECT count(*) OVER (), rows_done, price_version, finished_at IS NOT NULL FROM llm_runs
            ORDER BY started_at DESC LIMIT 1";
        let row = self.client.query_opt(query, &[]).await.unwrap();
        let none = Progress { runs: 0, done: 0, version: None, is_finished: false };
        row.map_or(none, |row| Progress {
            runs: row.get(0),
            done: row.get::<_, i64>(1).cast_unsigned(),
            version: row.get(2),
            is_finished: row.get(3),
        })
    }

    /// Waits until the run has done more than this, and is not over.
    async fn progress_beyond(&self, process: &mut Child, done: u64) -> Progress {
        let progress = eventually("the run comes so far", async || {
            match (self.progress().await, process.try_wait().unwrap()) {
                (progress, None) if progress.done <= done => Err(format!("{progress:?} of {done}")),
                (progress, _) => Ok(progress),
            }
        })
        .await;
        if process.try_wait().unwrap().is_some() {
            let mut told = String::new();
            process.stderr.take().unwrap().read_to_string(&mut told).await.unwrap();
            panic!("the run was over before it was seen at {done}: {progress:?} {told}");
        }
        progress
    }

    /// Starts a run and kills its process once so many rows are done. Returns how far it came.
    async fn kill_at(&self, kind: &str, done: u64) -> Progress {
        let mut process = self.start(kind);
        let progress = self.progress_beyond(&mut process, done).await;
        process.kill().await.unwrap(); // SIGKILL
        progress
    }

    /// Starts a run, and awaits its end as long as it goes on.
    async fn finish(&self, kind: &str) -> (ExitStatus, String) {
        let mut process = self.start(kind);
        let mut done = self.progress().await.done;
        while process.try_wait().unwrap().is_none() {
            done =
                eventually("the run goes on", async || match (self.progress().await, process.try_wait()) {
                    (progress, Ok(None)) if progress.done == done => Err(format!("{progress:?}")),
                    (progress, _) => Ok(progress.done),
                })
                .await;
        }
        let output = process.wait_with_output().await.unwrap();
        (output.status, String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }

    async fn audit<'t>(&self, sent: Sent, prices: impl Fn(u64) -> &'t Tariff) -> [Sums; MODELS.len()] {
        eventually("all traces are settled", async || {
            let query = "SELECT count(*) FROM llm_settling";
            let notes: i64 = self.client.query_one(query, &[]).await.unwrap().get(0);
            if notes == 0 { Ok(()) } else { Err(format!("{notes} wait")) }
        })
        .await;
        let late = |trace: u64| trace < sent.late && self.calls.is_inside(trace);
        self.calls.audit(&self.client, sent.traces, late, prices).await
    }
}

/// Which traces were sent whole, and up to which the late calls of those on the days of the run.
#[derive(Debug, Clone, Copy)]
struct Sent {
    traces: u64,
    late: u64,
}

/// Most traces, in those that are there from the beginning. A run goes through what comes meanwhile too, and one that is slower
/// than its traffic would never end.
const MOST: u64 = 4;

/// A client that exports new traces, and late calls of stored ones, until it is told to finish, or has exported [`MOST`].
struct Traffic {
    task: tokio::task::JoinHandle<Sent>,
    finish: watch::Sender<bool>,
}

impl Traffic {
    fn start(stage: &Stage) -> Self {
        let (finish, finished) = watch::channel(false);
        let (calls, oracle, mut connection) = (stage.calls.clone(), stage.oracle.clone(), stage.connection());
        let task = tokio::spawn(async move {
            let mut sent = Sent { traces: calls.traces(), late: 0 };
            while !*finished.borrow() && sent.traces < MOST * calls.traces() {
                connection.deliver(&oracle, &calls.whole(sent.traces..sent.traces + FEW)).await;
                sent.traces += FEW;
                if sent.late + FEW <= calls.traces() {
                    let late = (sent.late..sent.late + FEW).filter(|trace| calls.is_inside(*trace));
                    connection.deliver(&oracle, &calls.late(late)).await;
                    sent.late += FEW;
                }
            }
            sent
        });
        Self { task, finish }
    }

    async fn finish(self) -> Sent {
        self.finish.send_replace(true);
        self.task.await.unwrap()
    }
}

/// What `observatory query models` tells of each model.
async fn listed(daemon: &Daemon) -> [Sums; MODELS.len()] {
    let ask = ["query", "models", "--hours", "200", "--format", "json", "--query-address", daemon.query()];
    let answer = command::run(&ask, &[]).await;
    answer.says(0, &[]);
    let models: Vec<Json> = serde_json::from_str(&answer.stdout).unwrap();
    MODELS.map(|(_, name)| {
        let model = models.iter().find(|model| model["model"] == name).unwrap();
        let cost = model["cost"]["nanos"].as_str().map_or(0, |nanos| nanos.parse().unwrap());
        let count = |key: &str| model[key].as_i64().unwrap();
        Sums { calls: count("calls"), billable: count("billableCalls"), cost }
    })
}
