//! Every statement is one that PostgreSQL understands, on this schema.

use std::collections::HashSet;

use harness::TestDatabase;
use llm_observatory_storage::maintenance::{retention, statistics};
use llm_observatory_storage::{connector, repositories, writers};

/// Every fixed statement, with its name.
fn statements() -> Vec<(&'static str, &'static str)> {
    let modules = [
        repositories::STATEMENTS,
        writers::STATEMENTS,
        &[retention::STATEMENTS, statistics::STATEMENTS, connector::STATEMENTS],
    ];
    modules.concat().concat()
}

#[tokio::test]
async fn every_statement_prepares() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for (name, sql) in statements() {
        client.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[test]
fn statements_are_told_apart_by_name() {
    let names: Vec<_> = statements().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
}
