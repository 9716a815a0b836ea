//! Every statement that reads is one that PostgreSQL understands, on this schema.

use std::collections::HashSet;

use harness::TestDatabase;
use llm_observatory_storage::repositories::STATEMENTS;

#[tokio::test]
async fn every_statement_prepares() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let statements: Vec<_> = STATEMENTS.iter().flat_map(|statements| statements.iter()).collect();
    assert!(!statements.is_empty());
    for (name, sql) in statements {
        client.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[test]
fn statements_are_told_apart_by_name() {
    let names: Vec<_> =
        STATEMENTS.iter().flat_map(|statements| statements.iter()).map(|(name, _)| name).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
}
