//! Checks the rules of `migrations/README.md` in PostgreSQL's catalogue.

use harness::TestDatabase;
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::models::{
    DataPointRow, EventRow, LlmRow, LogRow, MetricRow, PriceRow, ResourceRow, Row as _, ScopeRow, SeriesRow,
    SpanRow, Table, TraceRow,
};
use llm_observatory_storage::writers::RejectionRow;
use tokio_postgres::Client;

/// Each table of telemetry, its distribution column, and its partition column if it has one.
const TELEMETRY: &[(&str, &str, Option<&str>)] = &[
    ("traces", "trace_id", Some("day")),
    ("trace_spans", "trace_id", Some("start_time")),
    ("trace_events", "trace_id", Some("start_time")),
    ("trace_llm_spans", "trace_id", Some("start_time")),
    ("metric_data_points", "series_id", Some("time")),
    ("logs", "resource_id", Some("time")),
    ("resources", "id", None),
    ("scopes", "id", None),
    ("metrics", "id", None),
    ("metric_series", "id", None),
    ("llm_settling", "trace_id", None),
    ("ingest_requests", "hash", None),
    ("ingest_rejections", "request_hash", None),
];

/// The tables that belong to no trace, series or request.
const REFERENCE: [&str; 4] = ["projects", "model_prices", "price_version", "llm_runs"];

/// Columns that only binaries before the present schema version write.
const UNUSED: &[(&str, &[&str])] = &[
    (
        "trace_spans",
        &[
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_creation_tokens",
            "reasoning_tokens",
            "llm_operation",
            "llm_provider",
            "llm_request_model",
            "llm_response_model",
            "llm_session_id",
            "llm_user_id",
            "attributes",
        ],
    ),
    ("trace_events", &["attributes"]),
    ("logs", &["body", "attributes"]),
    ("trace_llm_spans", &["details"]),
];

/// The tables of telemetry and of prices with a row type. The ledger and the notes of traces to settle have none: their own statements write them.
pub(crate) const ROWS: [Table; TELEMETRY.len() - 1] = [
    TraceRow::TABLE,
    SpanRow::TABLE,
    EventRow::TABLE,
    LlmRow::TABLE,
    DataPointRow::TABLE,
    LogRow::TABLE,
    PriceRow::TABLE,
    ResourceRow::TABLE,
    ScopeRow::TABLE,
    MetricRow::TABLE,
    SeriesRow::TABLE,
    RejectionRow::TABLE,
];

/// The table of the migration library.
const FOREIGN: &str = "observatory_schema_history";

async fn client() -> (TestDatabase, Client) {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    (database, client)
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn the_list_of_tables_is_complete() {
    let (_database, client) = client().await;
    let query = format!(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND NOT relispartition AND relname <> '{FOREIGN}' ORDER BY 1"
    );
    let mut known: Vec<_> = TELEMETRY.iter().map(|(table, ..)| *table).chain(REFERENCE).collect();
    known.sort_unstable();
    assert_eq!(names(&client, &query).await, known);
    let mut partitioned: Vec<_> =
        TELEMETRY.iter().filter(|table| table.2.is_some()).map(|table| table.0).collect();
    partitioned.sort_unstable();
    let mut daily: Vec<_> = Family::ALL.iter().flat_map(|family| family.tables()).copied().collect();
    daily.sort_unstable();
    assert_eq!(partitioned, daily);
    let shown = "SELECT DISTINCT parent::text FROM observatory_partitions ORDER BY 1";
    assert_eq!(names(&client, shown).await, daily, "the view lists the partitions of every table");
}

#[tokio::test]
async fn every_table_is_partitioned_by_its_column_alone() {
    let (_database, client) = client().await;
    for (table, _, column) in TELEMETRY {
        let key: Option<String> =
            client.query_one("SELECT pg_get_partkeydef($1::text::regclass)", &[table]).await.unwrap().get(0);
        let key = key.map(|key| key.replace('"', ""));
        assert_eq!(key, column.map(|column| format!("RANGE ({column})")), "{table}");
    }
    let defaults = "SELECT partdefid::regclass::text FROM pg_partitioned_table WHERE partdefid <> 0";
    assert!(names(&client, defaults).await.is_empty());
}

#[tokio::test]
async fn every_unique_key_holds_what_a_distributed_table_needs() {
    let (_database, client) = client().await;
    let query = "
        SELECT indexrelid::regclass::text,
               ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey::int2[]))
        FROM pg_index WHERE indrelid = $1::text::regclass AND indisunique";
    for (table, distribution, partition) in TELEMETRY {
        let keys = client.query(query, &[table]).await.unwrap();
        assert!(*table == "logs" || !keys.is_empty(), "{table} has no unique key");
        for key in keys {
            let (name, columns): (String, Vec<String>) = (key.get(0), key.get(1));
            for needed in [Some("project_id"), Some(distribution), *partition].into_iter().flatten() {
                assert!(columns.iter().any(|column| column == needed), "{name} lacks {needed}");
            }
        }
    }
}

#[tokio::test]
async fn every_row_of_telemetry_has_a_project() {
    let (_database, client) = client().await;
    let query = "
        SELECT count(*) FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attname = 'project_id' AND attnotnull AND atttypid = 'integer'::regtype";
    for (table, ..) in TELEMETRY {
        assert_eq!(client.query_one(query, &[table]).await.unwrap().get::<_, i64>(0), 1, "{table}");
    }
}

#[tokio::test]
async fn tables_stand_alone() {
    let (_database, client) = client().await;
    let queries = [
        "SELECT conname::text FROM pg_constraint WHERE contype = 'f'",
        "SELECT tgname::text FROM pg_trigger",
        "SELECT rulename::text FROM pg_rules WHERE schemaname = 'public'",
        "SELECT relname::text FROM pg_class WHERE relkind = 'S'",
        "SELECT attrelid::regclass || '.' || attname FROM pg_attribute WHERE attidentity <> ''",
    ];
    for query in queries {
        assert_eq!(names(&client, query).await, Vec::<String>::new(), "{query}");
    }
}

#[tokio::test]
async fn every_table_column_and_function_has_a_comment() {
    let (_database, client) = client().await;
    let tables = format!(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
         AND NOT relispartition AND relname <> '{FOREIGN}' AND obj_description(oid, 'pg_class') IS NULL"
    );
    assert_eq!(names(&client, &tables).await, Vec::<String>::new());
    let columns = format!(
        "SELECT relname || '.' || attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND relname <> '{FOREIGN}'
         AND attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL"
    );
    assert_eq!(names(&client, &columns).await, Vec::<String>::new());
    let functions = "
        SELECT proname::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL";
    assert_eq!(names(&client, functions).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_leaf_has_few_indexes_and_all_of_its_parent() {
    let (_database, client) = client().await;
    let crowded = "
        SELECT relname::text FROM pg_class JOIN pg_index ON indrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' GROUP BY relname HAVING count(*) > 5";
    assert_eq!(names(&client, crowded).await, Vec::<String>::new());
    // A parent's index is invalid if a leaf lacks it or did not attach it.
    let invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";
    assert_eq!(names(&client, invalid).await, Vec::<String>::new());
    let stray = "
        SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class leaf ON leaf.oid = indrelid
        WHERE leaf.relispartition AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid)";
    assert_eq!(names(&client, stray).await, Vec::<String>::new());
}

#[tokio::test]
async fn rows_fill_every_column_of_their_table() {
    let (_database, client) = client().await;
    for table in ROWS {
        let query = format!(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum > 0 ORDER BY attnum",
            table.name
        );
        let mut columns = names(&client, &query).await;
        let unused =
            |column: &str| UNUSED.iter().any(|(of, unused)| *of == table.name && unused.contains(&column));
        columns.retain(|column| !unused(column));
        assert_eq!(columns, table.columns, "{}", table.name);
    }
}
