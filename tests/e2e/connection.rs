//! The program `test_connection`, and a configuration with a password alone.

use harness::daemon::binary;
use harness::{Postgres, TestDatabase};
use llm_observatory_storage::{StorageConfig, StoragePool};

use crate::cli::STEPS;
use crate::command::{closed_port, finish, program, run};

#[tokio::test]
async fn test_connection_goes_through_the_steps_of_check() {
    let database = TestDatabase::new().await;
    // Cargo builds it beside the other one.
    let test_connection = binary().with_file_name("test_connection");
    let test = async |environment: &[(&str, &str)]| finish(program(&test_connection, &[], environment)).await;
    let url = database.url();
    let healthy = test(&[("DATABASE_URL", &url)]).await;
    healthy.says(0, &STEPS);
    let same = run(&["check"], &[("DATABASE_URL", &url)]).await;
    let without_times = |text: &str| text.lines().take(7).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_times(&healthy.stdout), without_times(&same.stdout));

    let closed = format!("postgresql://me@{}/telemetry", closed_port());
    test(&[("DATABASE_URL", &closed)]).await.says(1, &["FAILED", "telemetry at 127.0.0.1:"]);
}

#[tokio::test]
async fn a_password_alone_reaches_the_server_on_this_machine() {
    let (_postgres, address) = Postgres::durable_on_tcp();
    // The port is only there because PostgreSQL's own one may be taken where tests run.
    let port = address.port().to_string();
    let environment = [("DB_PASSWORD", "postgres"), ("DB_PORT", &port)];
    run(&["migrate"], &environment).await.says(0, &["the schema has version"]);
    let check = run(&["check"], &environment).await;
    check.says(0, &["postgres at localhost:", "sample query"]);

    let variables = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let pool = StoragePool::new(StorageConfig::from_vars(variables).unwrap()).await.unwrap();
    assert!(pool.health_check().await.is_healthy());
}
