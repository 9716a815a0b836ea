//! The command line: what it prints, how it ends, and what it says when it can't.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;

use harness::admin::get;
use harness::connection::connect;
use harness::daemon::Options;
use harness::telemetry::{span, spans, trace_id};
use harness::{Postgres, Redis, TestDatabase, eventually};
use serde_json::Value;

use crate::client::Exporter;
use crate::command::{ALLOW_UNSAFE, Finished, closed_port, run};
use crate::database::number;

#[tokio::test]
async fn traces_are_shown_as_tables_and_as_json() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let exporter = Exporter::to(&daemon).await;
    let mut child = span(1, 2);
    child.parent_span_id = span(1, 1).span_id;
    child.name = "POST /pay".to_owned();
    exporter.spans(spans("shop", vec![span(1, 1), child])).await.unwrap();
    exporter.spans(spans("cart", vec![span(2, 3)])).await.unwrap();
    let query = async |arguments: &[&str]| {
        let arguments = [&["query", "--query-address", daemon.query()], arguments].concat();
        run(&arguments, &[]).await
    };

    let table = query(&["traces"]).await;
    table.says(0, &["trace id", "root span", "shop", "span 1", "cart", "1.000 ms"]);
    assert_eq!(table.stdout.lines().count(), 3, "{table:?}");
    let filtered = query(&["traces", "--service", "cart", "--format", "json"]).await;
    assert_eq!(filtered.code, Some(0), "{filtered:?}");
    let traces: Value = serde_json::from_str(&filtered.stdout).unwrap();
    assert_eq!(traces.as_array().unwrap().len(), 1);
    assert_eq!(traces[0]["traceId"], hex::encode(trace_id(2)));
    assert_eq!(traces[0]["rootName"], "span 3");
    assert_eq!(traces[0]["spanCount"], 1);

    let id = hex::encode(trace_id(1));
    let table = query(&["trace", &id]).await;
    table.says(0, &["span id", "POST /pay", "0000000000000002", "shop"]);
    assert_eq!(table.stdout.lines().count(), 3, "{table:?}");
    let json = query(&["trace", &id, "--format", "json"]).await;
    let trace: Value = serde_json::from_str(&json.stdout).unwrap();
    let sent = &trace["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(sent.as_array().unwrap().len(), 2);
    assert_eq!(sent[0]["traceId"], id);

    query(&["trace", &hex::encode(trace_id(9))]).await.says(1, &["no span of trace"]);
    query(&["trace", "abc"]).await.says(64, &["trace_id"]);
    let as_a_url = format!("http://{}", daemon.query());
    run(&["query", "traces", "--query-address", &as_a_url], &[]).await.says(0, &["shop"]);
    let odd = run(&["query", "traces", "--query-address", "no address"], &[]).await;
    odd.says(64, &["--query-address must be an address with a port, like 127.0.0.1:4320"]);
    let nowhere = closed_port();
    let unreachable = run(&["query", "traces", "--query-address", &nowhere], &[]).await;
    unreachable.says(69, &["no observatory answers at", &nowhere, "observatory serve"]);
}

#[tokio::test]
async fn a_limit_beyond_one_page_is_reached_page_by_page() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url())
        .environment("OBSERVATORY_QUERY__DEFAULT_PAGE_SIZE", "2")
        .environment("OBSERVATORY_QUERY__MAX_PAGE_SIZE", "3")
        .start();
    let exporter = Exporter::to(&daemon).await;
    exporter
        .spans(spans("shop", (1..=8).map(|number: u8| span(number.into(), number.into())).collect()))
        .await
        .unwrap();
    for (limit, found) in [("1", 1), ("3", 3), ("7", 7), ("100000", 8)] {
        let arguments = ["query", "traces", "--format", "json", "--limit", limit];
        let answer = run(&[&arguments[..], &["--query-address", daemon.query()]].concat(), &[]).await;
        let traces: Vec<Value> = serde_json::from_str(&answer.stdout).unwrap();
        let ids: BTreeSet<_> = traces.iter().map(|trace| trace["traceId"].as_str().unwrap()).collect();
        assert_eq!((traces.len(), ids.len()), (found, found), "--limit {limit}: {answer:?}");
    }
    run(&["query", "traces", "--limit", "0"], &[]).await.says(2, &["'0' for '--limit <LIMIT>'", "1.."]);
}

pub(crate) const STEPS: [&str; 8] = [
    "configuration",
    "connection",
    "PostgreSQL",
    "durability",
    "Redis",
    "schema",
    "health and pool",
    "sample query",
];

#[tokio::test]
async fn check_goes_through_eight_steps() {
    let database = TestDatabase::new().await;
    let url = database.url();
    let healthy = run(&["check", "--database-url", &url], &[]).await;
    healthy.says(0, &STEPS);
    assert_eq!(healthy.stdout.lines().count(), 9, "a header and eight rows: {healthy:?}");
    assert!(!healthy.stdout.contains("FAILED"), "{healthy:?}");
    let row = |finished: &Finished, step: &str| {
        let mut rows = finished.stdout.lines().filter(|line| line.starts_with(step));
        rows.next().unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(row(&healthy, "Redis"), "-", "what is not configured is not checked: {healthy:?}");

    let redis = Redis::start();
    let both = run(&["check", "--database-url", &url], &[("REDIS_URL", &redis.url())]).await;
    both.says(0, &["with Redis"]);
    assert_eq!(row(&both, "Redis"), "ok", "{both:?}");

    drop(redis);
    let closed = closed_port();
    let redis_url = format!("redis://:hunter2@{closed}");
    let without = run(&["check", "--database-url", &url], &[("REDIS_URL", &redis_url)]).await;
    without.says(1, &STEPS);
    without.says(1, &[&closed]);
    assert!(!without.stdout.contains("hunter2"), "{without:?}");
    assert_eq!(row(&without, "Redis"), "FAILED", "{without:?}");
}

#[tokio::test]
async fn check_tells_what_is_wrong_with_the_database() {
    let closed = closed_port();
    let url = format!("postgresql://me@{closed}/telemetry");
    for command in [&["check"][..], &["migrate", "status"]] {
        let away = run(&[command, &["--database-url", &url]].concat(), &[]).await;
        away.says(1, &["telemetry at", &closed, "PostgreSQL is not available"]);
        assert!(!away.stderr.contains("trying again"), "it looks once: {away:?}");
        assert_eq!(away.stderr.matches("os error").count() + away.stdout.matches("os error").count(), 1);
    }
    run(&["check", "--database-url", &url], &[]).await.says(1, &STEPS);

    let empty = TestDatabase::empty().await;
    let bare = run(&["check", "--database-url", &empty.url()], &[]).await;
    bare.says(1, &["schema", "FAILED", "run `observatory migrate`"]);

    let misled = run(&["check"], &[("DB_HOST", "localhost"), ("DB_PORT", "none")]).await;
    misled.says(64, &["configuration", "FAILED", "storage.database.port", "1 of 8 checks failed"]);
    let told = format!("{}{}", misled.stdout, misled.stderr);
    assert_eq!(told.matches("storage.database.port").count(), 1, "{misled:?}");
}

#[tokio::test]
async fn looking_at_a_database_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let mistyped = directory.path().join("mistyped");
    for command in [&["check"][..], &["migrate", "status"]] {
        let looked = run(&[command, &["--data-dir", mistyped.to_str().unwrap()]].concat(), &[]).await;
        looked.says(1, &["there is no database", "mistyped", "`observatory serve` creates one"]);
        assert!(!mistyped.exists(), "{looked:?}");
    }
}

#[tokio::test]
async fn a_missing_right_is_told_with_its_grant() {
    let (database, empty) = (TestDatabase::new().await, TestDatabase::empty().await);
    let role = format!("{}_reader", database.url().split(['/', '?']).nth(3).unwrap());
    let client = database.client().await;
    client.batch_execute(&format!("CREATE ROLE {role} LOGIN")).await.unwrap();
    let (full, bare) = (database.url(), empty.url());
    let as_role = |url: &str| url.replace("user=postgres", &format!("user={role}"));
    let check = run(&["check", "--database-url", &as_role(&full)], &[]).await;
    let migrate = run(&["migrate", "--database-url", &as_role(&bare)], &[]).await;
    client.batch_execute(&format!("DROP ROLE {role}")).await.unwrap();
    check.says(
        1,
        &[
            "permission denied for table traces (SQLSTATE 42501)",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL",
        ],
    );
    migrate.says(1, &["permission denied for schema public", "GRANT USAGE, CREATE ON SCHEMA public"]);
    assert!(!migrate.stderr.contains("db error"), "{migrate:?}");
}

#[tokio::test]
async fn migrations_are_shown_and_applied() {
    let database = TestDatabase::empty().await;
    let url = database.url();
    let migrate = async |verb| run(&["migrate", verb, "--database-url", &url], &[]).await;
    let words = |finished: &Finished, word: &str| {
        let lines = finished.stdout.lines().skip(1);
        lines.filter(|line| line.trim_end().ends_with(word)).count()
    };
    let before = migrate("status").await;
    assert_eq!(before.code, Some(0), "{before:?}");
    let known = words(&before, "no");
    assert!(known > 0 && words(&before, "yes") == 0, "{before:?}");

    let up = migrate("up").await;
    assert_eq!(up.code, Some(0), "{up:?}");
    let applied = up.stdout.lines().filter(|line| line.starts_with("applied ")).count();
    assert_eq!(applied, known, "{up:?}");
    let newest = before.stdout.lines().last().and_then(|line| line.split(' ').next()).unwrap();
    assert!(up.stdout.contains(&format!("the schema has version {newest}\n")), "{up:?}");

    let again = migrate("up").await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(!again.stdout.contains("applied"), "{again:?}");
    assert!(!again.stderr.contains("NOTICE"), "what PostgreSQL notices is not repeated: {again:?}");
    let after = migrate("status").await;
    assert_eq!((words(&after, "yes"), words(&after, "no")), (known, 0), "{after:?}");
    let client = database.client().await;
    assert_eq!(number(&client, "SELECT count(*) FROM trace_spans").await, 0);
}

#[tokio::test]
async fn a_database_that_may_lose_what_it_commits_is_not_written_to() {
    let database = TestDatabase::new().await;
    let url = database.url();
    let told = ["fsync and full_page_writes are off", "allow_unsafe_durability"];
    let serve = ["serve", "--database-url", &url, "--admin-listen", "127.0.0.1:0"];
    let listen = ["--ingest-listen", "127.0.0.1:0", "--query-listen", "127.0.0.1:0"];
    let forbid = (ALLOW_UNSAFE.0, "false");
    run(&[&serve[..], &listen].concat(), &[forbid]).await.says(1, &told);
    run(&["check", "--database-url", &url], &[forbid]).await.says(1, &["durability", "FAILED"]);
    let allowed = Options::on(url).start();
    assert!(allowed.log().contains("acknowledged telemetry may be lost in a crash"), "{}", allowed.log());
}

#[tokio::test]
async fn a_schema_of_the_future_is_left_alone() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let future = "INSERT INTO observatory_schema_history (version, name, applied_on, checksum) \
                  VALUES (9999, 'flying_cars', '2099-01-01T00:00:00Z', '0')";
    client.batch_execute(future).await.unwrap();
    let url = database.url();
    let told = ["the database schema has version 9999", "run a newer observatory"];
    let listen = ["--ingest-listen", "127.0.0.1:0", "--query-listen", "127.0.0.1:0"];
    for role in ["all", "query"] {
        let arguments = ["serve", "--database-url", &url, "--admin-listen", "127.0.0.1:0", "--role", role];
        run(&[&arguments[..], &listen].concat(), &[]).await.says(1, &told);
    }
    for command in [&["migrate", "up"][..], &["migrate", "status"], &["check"]] {
        let arguments = [command, &["--database-url", &url]].concat();
        run(&arguments, &[]).await.says(1, &told);
    }
}

#[tokio::test]
async fn commands_find_the_private_database_of_a_running_daemon() {
    let daemon = Options::private().start();
    let client = connect(daemon.database()).await;
    let cluster: String = client.query_one("SHOW data_directory", &[]).await.unwrap().get(0);
    let data = Path::new(&cluster).parent().unwrap().to_str().unwrap();
    let check = run(&["check", "--data-dir", data], &[]).await;
    check.says(0, &STEPS);
    assert!(!check.stdout.contains("FAILED"), "{check:?}");
    run(&["migrate", "--data-dir", data], &[]).await.says(0, &["the schema has version"]);
    assert_eq!(number(&client, "SELECT count(*) FROM trace_spans").await, 0, "and leave it running");

    let listen = ["--ingest-listen", "--query-listen", "--admin-listen"].map(|flag| [flag, "127.0.0.1:0"]);
    let second = run(&[&["serve", "--data-dir", data], &listen.concat()[..]].concat(), &[]).await;
    second.says(1, &[data, "--data-dir"]);
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let flags = ["--ingest-listen", "--query-listen", "--admin-listen"];
    for flag in flags {
        let others = flags.iter().filter(|other| **other != flag);
        let others = others.flat_map(|other| [*other, "127.0.0.1:0"]);
        // The ports come before the database, which is not even asked.
        let mut arguments = vec!["serve", "--database-url", "postgresql://nowhere/none", flag, &taken];
        arguments.extend(others);
        let refused = run(&arguments, &[]).await;
        refused.says(1, &["cannot listen on", &taken, flag]);
    }
}

#[tokio::test]
async fn every_mistake_in_the_configuration_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("observatory.toml");
    let mistakes = "shutdwn_s = 3\n[ingest]\nwriters = \"many\"\n[storage.database]\nport = 0\n";
    std::fs::write(&file, mistakes).unwrap();
    let arguments = ["serve", "--config", file.to_str().unwrap()];
    let unknown = run(&arguments, &[("OBSERVATORY_QUERY__PAGE_SIZE", "9")]).await;
    unknown.says(
        64,
        &[
            "shutdwn_s is not a setting",
            "ingest.writers must be a whole number",
            "observatory.toml)",
            "query.page_size is not a setting",
            "(from OBSERVATORY_QUERY__PAGE_SIZE)",
        ],
    );
    let unreadable = run(&["serve", "--ingest-listen", "4317"], &[("OBSERVATORY_ROLE", "foo")]).await;
    unreadable.says(
        64,
        &[
            "ingest_listen must be written like 127.0.0.1:4317 (from --ingest-listen)",
            "role must be one of: all, ingest, query (from OBSERVATORY_ROLE)",
        ],
    );
    for command in ["serve", "check", "migrate"] {
        let odd_log = run(&[command], &[("OBSERVATORY_LOG", "info=loud")]).await;
        odd_log.says(64, &["log is not a filter; write it like info", "(from OBSERVATORY_LOG)"]);
    }

    let impossible = run(
        &["serve", "--ingest-listen", "0.0.0.0:0"],
        &[
            ("OBSERVATORY_INGEST__WRITERS", "0"),
            ("OBSERVATORY_QUERY__TIMEOUT_MS", "0"),
            ("DATABASE_URL", "postgresql://user:secret@:x:/"),
        ],
    )
    .await;
    impossible.says(64, &["ingest.writers", "query.timeout_ms", "storage.database.url", "ingest_listen"]);
    assert!(!impossible.stderr.contains("secret"), "{impossible:?}");

    let absent = run(&["serve", "--config", "/nowhere/observatory.yaml"], &[]).await;
    absent.says(64, &["/nowhere/observatory.yaml: No such file or directory"]);
    assert_eq!(absent.stderr.matches("No such file").count(), 1, "{absent:?}");
}

#[tokio::test]
async fn listening_to_the_world_must_be_accepted() {
    let database = TestDatabase::new().await;
    let url = database.url();
    let arguments = ["serve", "--database-url", &url, "--query-listen", "0.0.0.0:0"];
    let refused = run(&arguments, &[]).await;
    refused.says(64, &["query_listen", "--allow-unauthenticated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_side_tells_how_it_goes() {
    let mut postgres = Postgres::start();
    let daemon = Options::on(postgres.url("postgres"))
        .environment("OBSERVATORY_STORAGE__DATABASE__ACQUIRE_TIMEOUT_MS", "200")
        .start();
    let admin = daemon.admin();
    assert_eq!(get(admin, "/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get(admin, "/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(get(admin, "/nothing").await.0, 404);

    let exporter = Exporter::to(&daemon).await;
    let no_id = spans("shop", vec![span(0, 1), span(1, 1), span(1, 2)]);
    for _ in 0..2 {
        exporter.spans(no_id.clone()).await.unwrap();
    }
    let (status, metrics) = get(admin, "/metrics").await;
    assert_eq!(status, 200);
    let books = [
        "observatory_ingest_records_received_total{project=\"1\",signal=\"traces\"} 6",
        "observatory_ingest_records_stored_total{project=\"1\",signal=\"traces\"} 2",
        "observatory_ingest_records_duplicate_total{project=\"1\",signal=\"traces\"} 2",
        "observatory_ingest_records_rejected_total{project=\"1\",signal=\"traces\",reason=\"trace_id\"} 2",
    ];
    for line in books {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }

    postgres.stop();
    assert_eq!(get(admin, "/healthz").await.0, 200, "it lives without its database");
    eventually("it says that it is not ready", async || match get(admin, "/readyz").await {
        (503, _) => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    })
    .await;
    postgres.resume();
    eventually("it says that it is ready again", async || match get(admin, "/readyz").await {
        (200, _) => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    })
    .await;
}
