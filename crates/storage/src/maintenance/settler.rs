//! The job that settles traces, with the connection that it keeps.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::settling;
use crate::error::Error;
use crate::pool::StoragePool;
use crate::postgres::writer::WriterConnection;

/// Runs the job with a connection that it keeps.
#[derive(Debug, Clone)]
pub(super) struct Settler {
    pool: StoragePool,
    /// Empty while a run uses the connection: a run that is given up takes its open transaction with it.
    connection: Arc<Mutex<Option<WriterConnection>>>,
}

impl Settler {
    pub(super) fn new(pool: StoragePool) -> Self {
        Self { pool, connection: Arc::default() }
    }

    /// Settles the traces that are due.
    pub(super) fn run(&self) -> BoxFuture<'static, Result<(), Error>> {
        let Self { pool, connection: kept } = self.clone();
        Box::pin(async move {
            let known = kept.lock().await.take();
            let connection = match known {
                Some(connection) if !connection.is_closed() => connection,
                _ => {
                    let connection = pool.connect_writer().await?;
                    settling::prepare(&connection).await?;
                    connection
                }
            };
            settling::settle_due(&connection, &pool.config().settling).await?;
            pool.llm().settling(settling::waiting(&connection).await?);
            *kept.lock().await = Some(connection);
            Ok(())
        })
    }
}
