//! Connections, migrations, health.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use harness::{Postgres, Redis, TestDatabase, eventually};
use llm_observatory_storage::config::{RetryConfig, Secret, StorageConfig};
use llm_observatory_storage::error::Failure;
use llm_observatory_storage::health::Probe;
use llm_observatory_storage::{Error, StoragePool, migrate};

use crate::rows::stored;

fn config(url: &str) -> StorageConfig {
    let mut config = StorageConfig::default();
    config.database.url = Some(Secret::new(url));
    config.connect_retry = RetryConfig { attempts: 2, initial_backoff_ms: 1, max_backoff_ms: 20 };
    config
}

// The end of the test waits for PostgreSQL to stop, which waits for connections that came while it started. On one thread
// these would not go on meanwhile, and PostgreSQL would give them up after its authentication_timeout of 60 s.
#[tokio::test(flavor = "multi_thread")]
async fn the_pool_waits_for_a_database_that_starts_later() {
    let mut postgres = Postgres::prepare();
    let mut config = config(&postgres.url("postgres"));
    let error = StoragePool::new(config.clone()).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable, "it does not run yet: {error}");

    config.connect_retry.attempts = u32::MAX;
    let starting = tokio::task::spawn_blocking(move || {
        postgres.resume();
        postgres
    });
    let (pool, _postgres) = tokio::join!(StoragePool::new(config), starting);
    assert!(pool.unwrap().health_check().await.is_healthy());
}

#[tokio::test]
async fn a_refused_login_is_not_retried() {
    let database = TestDatabase::empty().await;
    let mut config = config(&database.url().replace("observatory_test", "no_such"));
    config.connect_retry =
        RetryConfig { attempts: u32::MAX, initial_backoff_ms: 60_000, max_backoff_ms: 60_000 };
    let error = StoragePool::new(config).await.unwrap_err();
    assert!(matches!(error, Error::Postgres(_)), "{error}");
    assert!(error.to_string().contains("3D000"), "{error}");
}

#[tokio::test]
async fn an_invalid_configuration_is_an_error_before_any_connection() {
    let mut config = config("postgresql:///unreachable?host=/nowhere");
    config.database.max_connections = 0;
    config.writer.batch_rows = 0;
    let error = StoragePool::new(config).await.unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error}");
    assert!(error.to_string().contains("writer.batch_rows"), "{error}");
}

#[tokio::test]
async fn several_daemons_may_migrate_at_once() {
    let database = TestDatabase::empty().await;
    let pools = join_all((0..4).map(|_| database.pool())).await;
    let client = database.client().await;
    assert!(matches!(migrate::check(&client).await, Err(Error::SchemaTooOld { found: 0, .. })));
    assert!(migrate::status(&client).await.unwrap().iter().all(|step| !step.applied));

    let applied: Vec<_> = join_all(pools.iter().map(StoragePool::run_migrations))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(applied.iter().all(|applied| applied.version == migrate::known_version()));
    let steps = migrate::status(&client).await.unwrap();
    assert!(steps.iter().all(|step| step.applied));
    let workers: Vec<_> = applied.iter().filter(|applied| !applied.applied.is_empty()).collect();
    assert_eq!(workers.len(), 1, "one migrates, the others find it done");
    assert_eq!(workers[0].applied.len(), steps.len());
    migrate::check(&client).await.unwrap();
    assert_eq!(
        stored(&client, "(SELECT id, name FROM projects)").await,
        [serde_json::json!({"id": 1, "name": "default"})]
    );
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let newer = migrate::known_version() + 1;
    let insert = "INSERT INTO observatory_schema_history (version, name, applied_on, checksum) VALUES ($1, 'x', 'now', '0')";
    client.execute(insert, &[&newer]).await.unwrap();
    let error = database.pool().await.run_migrations().await.unwrap_err();
    assert!(
        matches!(error, Error::SchemaTooNew { found, known } if found == newer && known == newer - 1),
        "{error}"
    );
    assert!(matches!(migrate::check(&client).await, Err(Error::SchemaTooNew { .. })));
    // The failed run released the lock: the next one fails too, without waiting.
    assert!(database.pool().await.run_migrations().await.is_err());
}

#[tokio::test]
async fn health_names_the_store_that_does_not_answer() {
    let mut postgres = Postgres::start();
    let mut redis = Redis::start();
    let mut config = config(&postgres.url("postgres"));
    config.redis.url = Some(Secret::new(redis.url()));
    config.redis.timeout_ms = 500;
    config.database.acquire_timeout_ms = 500;
    let pool = StoragePool::new(config).await.unwrap();

    let health = pool.health_check().await;
    assert!(health.is_healthy(), "{health:?}");
    assert!(health.postgres.version.is_some() && health.redis.unwrap().version.is_some());

    redis.stop();
    let health = pool.health_check().await;
    assert!(health.postgres.error.is_none() && health.redis.as_ref().unwrap().error.is_some(), "{health:?}");
    assert!(!health.is_healthy());

    redis.resume();
    postgres.stop();
    eventually("Redis is back", async || {
        let health = pool.health_check().await;
        if health.redis.as_ref().unwrap().error.is_none() { Ok(()) } else { Err(format!("{health:?}")) }
    })
    .await;
    // When the pool has noticed the closed connections, it names the cause instead of a busy pool.
    eventually("the cause is reported", async || match pool.health_check().await.postgres.error {
        Some(cause) if cause.contains("error connecting to server") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let error = pool.get().await.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable);
    assert!(error.to_string().contains("error connecting to server"), "{error}");

    postgres.resume();
    eventually("PostgreSQL is back", async || {
        let health = pool.health_check().await;
        if health.is_healthy() { Ok(()) } else { Err(format!("{health:?}")) }
    })
    .await;
}

#[tokio::test]
async fn redis_is_optional() {
    let pool = TestDatabase::new().await.pool().await;
    let health = pool.health_check().await;
    assert!(health.is_healthy() && health.redis.is_none() && pool.redis().is_none());
}

#[tokio::test]
async fn redis_can_be_used() {
    let redis = Redis::start();
    let database = TestDatabase::empty().await;
    let pool = database.pool_with(|config| config.redis.url = Some(Secret::new(redis.url()))).await.unwrap();
    let mut connection = pool.redis().unwrap();
    redis::cmd("SET").arg("k").arg("v").exec_async(&mut connection).await.unwrap();
    let value: String = redis::cmd("GET").arg("k").query_async(&mut connection).await.unwrap();
    assert_eq!(value, "v");
}

#[tokio::test]
async fn statistics_count_the_connections() {
    let database = TestDatabase::empty().await;
    let change = |config: &mut StorageConfig| {
        config.database.max_connections = 2;
        config.database.min_connections = 0;
        config.database.acquire_timeout_ms = 50;
    };
    let pool = database.pool_with(change).await.unwrap();
    let (first, second) = (pool.get().await.unwrap(), pool.get().await.unwrap());
    let stats = pool.stats();
    assert_eq!((stats.connections, stats.idle, stats.max), (2, 0, 2));

    let asked = Instant::now();
    let error = pool.get().await.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable);
    assert!(error.to_string().contains("acquire_timeout_ms"), "{error}");
    assert!(asked.elapsed() >= Duration::from_millis(50), "the pool waits for a free connection");

    drop((first, second));
    eventually("connections go back", async || if pool.stats().idle == 2 { Ok(()) } else { Err("not yet") })
        .await;
    // A connection outside the pool does not count.
    let _writer = pool.connect().await.unwrap();
    assert_eq!(pool.stats().connections, 2);
}

#[tokio::test]
async fn a_client_outside_the_pool_comes_with_the_task_that_drives_it() {
    let pool = TestDatabase::empty().await.pool().await;
    let (client, handle) = pool.get_tokio_postgres_client().await.unwrap();
    let one: i32 = client.query_one("SELECT 1", &[]).await.unwrap().get(0);
    assert_eq!((one, handle.is_finished()), (1, false));
    drop(client);
    handle.await.unwrap();
}

#[tokio::test]
async fn a_probe_notices_at_once_that_postgresql_is_gone_and_names_the_cause() {
    let mut postgres = Postgres::start();
    let pool = StoragePool::new(config(&postgres.url("postgres"))).await.unwrap();
    let mut probe = Probe::new(pool, Duration::from_secs(10));
    for _ in 0..2 {
        probe.look().await.unwrap();
    }
    let hour = Duration::from_secs(3_600);
    tokio::join!(probe.pause(hour), async { postgres.stop() });
    let error = probe.look().await.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable);
    assert!(error.to_string().contains("error connecting to server"), "{error}");

    postgres.resume();
    eventually("PostgreSQL answers again", async || probe.look().await.map_err(|error| error.to_string()))
        .await;
}

#[tokio::test]
async fn a_probe_does_not_wait_for_a_busy_pool() {
    let database = TestDatabase::empty().await;
    let pool = database.pool_with(|config| config.database.max_connections = 1).await.unwrap();
    let mut probe = Probe::new(pool.clone(), Duration::from_secs(10));
    let _busy = pool.get().await.unwrap();
    probe.look().await.unwrap();
}
