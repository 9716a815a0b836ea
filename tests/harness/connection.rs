//! Plain connections to a PostgreSQL, by which tests look behind the daemon's back.

use tokio_postgres::{Client, Error, NoTls};

/// A connection to the database at `url`, which lives as long as its client.
///
/// # Panics
/// When the server does not answer.
pub async fn connect(url: &str) -> Client {
    try_connect(url).await.expect("a server that answers")
}

/// The same, for a server that may be away.
///
/// # Errors
/// The server does not answer, or has no such database.
pub async fn try_connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
