//! PostgreSQL prepares every statement on the migrated schema.

use std::collections::HashSet;

use harness::TestDatabase;
use llm_observatory_storage::models::{
    DataPointRow, EventRow, LogRow, MetricRow, ResourceRow, Row as _, ScopeRow, SeriesRow, SpanRow, TraceRow,
};
use llm_observatory_storage::statements;
use llm_observatory_storage::writers::RejectionRow;

#[tokio::test]
async fn every_statement_prepares() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for statement in statements() {
        let (name, sql) = (statement.name(), statement.sql());
        match statement.is_script() {
            true => client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}")),
            false => _ = client.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}")),
        }
    }
}

#[tokio::test]
async fn every_table_can_be_written_by_copy_and_insert() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let tables = [
        TraceRow::TABLE,
        SpanRow::TABLE,
        EventRow::TABLE,
        MetricRow::TABLE,
        SeriesRow::TABLE,
        DataPointRow::TABLE,
        LogRow::TABLE,
        ResourceRow::TABLE,
        ScopeRow::TABLE,
        RejectionRow::TABLE,
    ];
    for table in tables {
        for sql in [table.copy(), table.insert(), table.insert_new()] {
            client.prepare(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }
}

#[test]
fn names_of_statements_are_unique() {
    let names: Vec<_> = statements().into_iter().map(|statement| statement.name()).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
}
