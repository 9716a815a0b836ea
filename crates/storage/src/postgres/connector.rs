//! Opens connections to PostgreSQL: to any of the configured servers, or to the one that takes writes.

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

/// Makes the server probe a silent client. By PostgreSQL's defaults the sessions of a machine that vanished would keep
/// their locks for two hours.
static KEEP_ALIVE: Statement = Statement::fixed(
    "connector: keep alive",
    "SELECT set_config('tcp_keepalives_idle', $1, false), set_config('tcp_keepalives_interval', $2, false), \
            set_config('tcp_keepalives_count', $3, false), set_config('tcp_user_timeout', $4, false)",
);

/// The statements of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&KEEP_ALIVE];

/// The half of a connection that transfers its bytes.
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
    /// A connector to the configured servers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for a URL that does not parse, [`Error::Tls`] for certificates that can't be read.
    pub(crate) fn new(database: &DatabaseConfig) -> Result<Self, Error> {
        let mut any = database.driver()?;
        // In a fixed order, a server that accepts connections and then hangs would take the time of every attempt.
        any.load_balance_hosts(LoadBalanceHosts::Random);
        let mut primary = any.clone();
        primary.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let hosts = any.get_hosts().len().max(any.get_hostaddrs().len()).max(1);
        if hosts > 1 && !database.chooses_servers() {
            // Queries see all acknowledged records there; a standby may lag behind.
            any.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let silence = database.silence();
        Ok(Self {
            // Each server that can't be reached takes the whole time of one attempt.
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

    /// Configuration and TLS for connections of the pool. They go to a server of the kind that `target_session_attrs`
    /// in the URL names, or to the one that takes writes if the URL names several servers without that parameter.
    pub(crate) fn parts(&self) -> (Config, MakeRustlsConnect) {
        (self.any.clone(), self.tls.clone())
    }

    /// A connection like those of the pool, and the task that drives it until the client is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no server can be reached in time; [`Error::Postgres`] when one refuses (a wrong
    /// password).
    pub(crate) async fn any(&self) -> Result<(Client, JoinHandle<()>), Error> {
        within(self.patience, async {
            let (client, connection) = self.any.connect(self.tls.clone()).await?;
            Ok((client, drive(connection)))
        })
        .await
    }

    /// A connection to the server that takes writes, and the task that drives it until the client is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no server that takes writes can be reached in time; [`Error::Postgres`] when one
    /// refuses the login.
    pub(crate) async fn primary(&self) -> Result<(Client, JoinHandle<()>), Error> {
        within(self.patience, async {
            let (client, connection) = self.open_primary().await?;
            let driver = drive(connection);
            self.keep_alive(&client).await?;
            Ok((client, driver))
        })
        .await
    }

    /// Both halves of a connection to the server that takes writes. The caller drives the connection, limits the time
    /// of this call, and calls [`Self::keep_alive`].
    ///
    /// # Errors
    /// Those of [`Self::primary`].
    pub(crate) async fn open_primary(&self) -> Result<(Client, PostgresConnection), Error> {
        Ok(self.primary.connect(self.tls.clone()).await?)
    }

    /// Makes the server probe this client. PostgreSQL ignores this on a unix socket, where it notices a closed socket
    /// anyway.
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

/// Drives a connection in its own task until the client is dropped.
fn drive(connection: PostgresConnection) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = %chain(&error), "connection to PostgreSQL ended");
        }
    })
}
