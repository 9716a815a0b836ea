//! Rows of the ledger and dead letters are deleted after their retention, and not before.

use harness::TestDatabase;
use llm_observatory_storage::config::RetentionConfig;
use llm_observatory_storage::maintenance::retention;

use crate::rows::count;

#[tokio::test]
async fn the_ledger_and_the_dead_letters_are_kept_as_long_as_configured() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let rows = "
        INSERT INTO ingest_requests (received_at, project_id, records, rejected, duplicates, signal, hash)
        SELECT now() - n * interval '1 minute', 1, 1, 0, 0, 1, gen_random_uuid() FROM generate_series(1, 100) AS n;
        INSERT INTO ingest_rejections (rejected_at, project_id, ordinal, record_bytes, signal, request_hash, place, reason, detail, record)
        SELECT now() - n * interval '1 minute', 1, 0, 0, 1, gen_random_uuid(), '', '', '', '' FROM generate_series(1, 100) AS n";
    client.batch_execute(rows).await.unwrap();
    // Few rows per transaction, so that several are needed.
    let retention = RetentionConfig {
        requests_s: 30 * 60 + 30,
        rejections_s: 60 * 60 + 30,
        delete_rows: 7,
        ..RetentionConfig::default()
    };
    let deleted = retention::clear(&client, &retention).await.unwrap();
    assert_eq!(deleted, 70 + 40);
    assert_eq!(count(&client, "ingest_requests").await, 30);
    assert_eq!(count(&client, "ingest_rejections").await, 60);
    let again = retention::clear(&client, &retention).await.unwrap();
    assert_eq!(again, 0);
}
