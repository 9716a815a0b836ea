//! How connections to PostgreSQL are opened: to any server that the configuration names, or to the one that takes writes.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::config::{LoadBalanceHosts, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::DatabaseConfig;
use crate::error::{Error, chain};
use crate::postgres::patience::within;
use crate::postgres::tls;
use crate::statement::Statement;

/// The server looks after a silent client as the client does after a silent server. Otherwise the sessions of a machine that
/// vanished would keep their locks for as long as PostgreSQL's defaults say: two hours.
static KEEP_ALIVE: Statement = Statement::fixed(
    "connector: keep alive",
    "SELECT set_config('tcp_keepalives_idle', $1, false), set_config('tcp_keepalives_interval', $2, false), \
            set_config('tcp_keepalives_count', $3, false), set_config('tcp_user_timeout', $4, false)",
);

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&KEEP_ALIVE];

/// The half of a connection that moves its bytes.
pub(crate) type PostgresConnection =
    Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Opens connections. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector {
    any: Config,
    primary: Config,
    tls: MakeRustlsConnect,
    patience: Duration,
    keep_alive: [String; 4],
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    /// A connector to what is configured.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for a URL that can't be read, [`Error::Tls`] for certificates that can't.
    pub(crate) fn new(database: &DatabaseConfig) -> Result<Self, Error> {
        let mut any = database.driver()?;
        // In order, one that accepts connections and says no more would keep every attempt to itself.
        any.load_balance_hosts(LoadBalanceHosts::Random);
        let mut primary = any.clone();
        primary.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let hosts = any.get_hosts().len().max(any.get_hostaddrs().len()).max(1);
        if hosts > 1 && !database.chooses_servers() {
            // What is acknowledged is there to be read, which a standby may not have yet.
            any.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let silence = database.silence();
        Ok(Self {
            // A server that can't be reached takes all the time that one is given.
            patience: Duration::from_millis(database.connect_timeout_ms)
                * u32::try_from(hosts).unwrap_or(u32::MAX),
            keep_alive: [
                silence.idle.as_secs().to_string(),
                silence.interval.as_secs().to_string(),
                silence.probes.to_string(),
                database.tcp_user_timeout_ms.to_string(),
            ],
            tls: tls::connector(database)?,
            primary,
            any,
        })
    }

    /// What the pool makes its connections from: to a server of the kind that `target_session_attrs` asks for in the URL; if
    /// that says nothing and several are named, to the one that takes writes.
    pub(crate) fn parts(&self) -> (Config, MakeRustlsConnect) {
        (self.any.clone(), self.tls.clone())
    }

    /// A connection like those of the pool, and the task that moves its bytes until the client is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no server can be reached in time; [`Error::Postgres`] when one refuses (a wrong password).
    pub(crate) async fn any(&self) -> Result<(Client, JoinHandle<()>), Error> {
        within(self.patience, async {
            let (client, connection) = self.any.connect(self.tls.clone()).await?;
            Ok((client, drive(connection)))
        })
        .await
    }

    /// The same to the server that takes writes, for changes that no writer makes.
    ///
    /// # Errors
    /// As [`Self::any`]; [`Error::Unavailable`] also when no server takes writes.
    pub(crate) async fn primary(&self) -> Result<(Client, JoinHandle<()>), Error> {
        within(self.patience, async {
            let (client, connection) = self.open_primary().await?;
            let driver = drive(connection);
            self.keep_alive(&client).await?;
            Ok((client, driver))
        })
        .await
    }

    /// Both halves of a connection to the server that takes writes. The caller moves its bytes, limits the time that this
    /// takes, and calls [`Self::keep_alive`].
    ///
    /// # Errors
    /// As [`Self::primary`].
    pub(crate) async fn open_primary(&self) -> Result<(Client, PostgresConnection), Error> {
        Ok(self.primary.connect(self.tls.clone()).await?)
    }

    /// Has the server look after this client. On a unix socket it knows without looking.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection is lost.
    pub(crate) async fn keep_alive(&self, client: &Client) -> Result<(), Error> {
        let [idle, interval, probes, silence] = &self.keep_alive;
        client.query_one(KEEP_ALIVE.sql(), &[idle, interval, probes, silence]).await?;
        Ok(())
    }

    /// Longest time to open a connection.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }
}

/// Moves the bytes of a connection, in a task of its own, until its client is dropped.
fn drive(connection: PostgresConnection) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = %chain(&error), "connection to PostgreSQL ended");
        }
    })
}
