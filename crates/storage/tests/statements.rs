//! Every statement is one that PostgreSQL understands, on this schema.

use std::collections::HashSet;

use harness::TestDatabase;
use llm_observatory_storage::statements;

use crate::schema::ROWS;

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
async fn every_table_can_be_written_in_each_way() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for table in ROWS {
        for sql in [table.copy(), table.insert(), table.insert_new()] {
            client.prepare(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }
}

#[test]
fn statements_are_told_apart_by_name() {
    let names: Vec<_> = statements().into_iter().map(|statement| statement.name()).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
}
