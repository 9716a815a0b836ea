//! The oracle finds mistakes that are made on purpose, so the other tests can fail.

use harness::TestDatabase;
use llm_observatory_core::Signal;

use crate::exporter::{Answers, Connection, Target, daemon_on};
use crate::oracle::Oracle;
use crate::run::Run;

const MISTAKES: &[(&str, &str)] = &[
    ("lost 1", "DELETE FROM metric_data_points WHERE value_int = 7"),
    (
        "duplicates 1",
        "CREATE TEMPORARY TABLE later AS SELECT * FROM metric_data_points WHERE value_int = 8; \
         UPDATE later SET time_nanos = time_nanos + 1; INSERT INTO metric_data_points SELECT * FROM later",
    ),
    (
        "repeated logs 1",
        "INSERT INTO logs SELECT * FROM logs WHERE attributes_json::json->>'oracle.id' = '7'",
    ),
    (
        "foreign 1",
        "CREATE TEMPORARY TABLE another AS SELECT * FROM logs WHERE attributes_json::json->>'oracle.id' = '8' LIMIT 1; \
         UPDATE another SET attributes_json = '{}'; INSERT INTO logs SELECT * FROM another",
    ),
    (
        "corrupt 1",
        "UPDATE trace_spans SET end_nanos = end_nanos + 1 WHERE attributes_json::json->>'oracle.id' = '7'",
    ),
    ("wrong summaries 1", "UPDATE traces SET span_count = span_count + 1 WHERE root_name = 'span-11'"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oracle_finds_what_is_wrong() {
    let run = Run::of("mistakes made on purpose");
    let database = TestDatabase::new().await;
    let daemon = daemon_on(database.url()).start();
    let oracle = Oracle::of(run);
    let mut connection = Connection::to(&Target::at(daemon.ingest()), &Answers::default());
    for signal in Signal::ALL {
        connection.deliver(&oracle, &oracle.new_request(signal, 200)).await;
    }
    let client = database.client().await;
    oracle.audit(&client).await.assert_exact();

    for (_, mistake) in MISTAKES {
        client.batch_execute(mistake).await.unwrap();
    }
    let audit = oracle.audit(&client).await.to_string();
    for (found, mistake) in MISTAKES {
        assert!(audit.contains(found), "{audit}: it does not see {mistake}");
    }
}
