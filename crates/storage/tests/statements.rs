//! PostgreSQL prepares every statement on the migrated schema.

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
async fn every_table_can_be_written_by_copy_and_insert() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for table in ROWS {
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
