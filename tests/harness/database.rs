//! A migrated database for every test, cloned from one template.

use std::process::Child;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use llm_observatory_storage::config::{Secret, StorageConfig};
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::{Error, StoragePool};
use tokio::sync::OnceCell;
use tokio_postgres::Client;

use crate::connection::connect;
use crate::postgres;
use crate::scratch::keeper;

/// Drops the databases of this process when it ends, so that a server that outlives it stays clean.
const DROP: &str = r#"
cat >/dev/null
psql "$1" -Atc "SELECT format('DROP DATABASE %I WITH (FORCE);', datname) FROM pg_database WHERE starts_with(datname, '$2')" |
    psql "$1" -q
"#;

/// A database of one test's own, gone when this process ends.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// A database with the newest schema and the partitions of these days.
    pub async fn new() -> Self {
        static TEMPLATE: OnceCell<TestDatabase> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(Self::migrated).await;
        Self::create(&format!("TEMPLATE {}", template.name)).await
    }

    /// A database with nothing in it.
    pub async fn empty() -> Self {
        Self::create("").await
    }

    async fn migrated() -> Self {
        let template = Self::empty().await;
        template.pool().await.run_migrations().await.expect("migrations of an empty database");
        template
    }

    async fn create(options: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}{}", prefix(), NEXT.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&postgres::shared("postgres")).await;
        drop_at_the_end();
        // PostgreSQL waits a few seconds for sessions of the template that are about to end.
        admin.batch_execute(&format!("CREATE DATABASE {name} {options}")).await.expect("CREATE DATABASE");
        Self { name }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        postgres::shared(&self.name)
    }

    /// The configuration that names it; all else is the default.
    pub fn config(&self) -> StorageConfig {
        let mut config = StorageConfig::default();
        config.database.url = Some(Secret::new(self.url()));
        config.database.allow_unsafe_durability = true;
        config
    }

    /// The storage's own pool on it.
    pub async fn pool(&self) -> StoragePool {
        self.pool_with(|_| ()).await.expect("a pool on a server that answers")
    }

    /// A pool whose configuration is changed first.
    ///
    /// # Errors
    /// Those of [`StoragePool::new`]: the configuration is invalid, or PostgreSQL does not answer.
    pub async fn pool_with(&self, change: impl FnOnce(&mut StorageConfig)) -> Result<StoragePool, Error> {
        let mut config = self.config();
        change(&mut config);
        StoragePool::new(config).await
    }

    /// A connection that rows are written through, in the time zone UTC.
    pub async fn writer(&self) -> WriterConnection {
        let writer = self.pool().await.connect_writer().await.expect("a server that answers");
        writer.batch_execute("SET TIME ZONE 'UTC'").await.expect("SET");
        writer
    }

    /// A bare connection to it, in the time zone UTC.
    pub async fn client(&self) -> Client {
        let client = connect(&self.url()).await;
        client.batch_execute("SET TIME ZONE 'UTC'").await.expect("SET");
        client
    }
}

fn prefix() -> String {
    format!("observatory_test_{}_", std::process::id())
}

fn drop_at_the_end() {
    static KEEPER: OnceLock<Option<Child>> = OnceLock::new();
    // A server of our own takes its databases with it.
    KEEPER.get_or_init(|| Some(keeper(DROP, &[&std::env::var(postgres::URL).ok()?, &prefix()])));
}
