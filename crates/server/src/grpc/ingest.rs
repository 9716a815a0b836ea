//! `IngestService`: the books of ingest, over gRPC.

use std::collections::BTreeMap;
use std::time::SystemTime;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use llm_observatory_ingest::{Account, Books};
use llm_observatory_proto::v1::ingest_service_server::{IngestService, IngestServiceServer, SERVICE_NAME};
use llm_observatory_proto::v1::{GetIngestStatsRequest, GetIngestStatsResponse, IngestAccount, IngestCount};
use tonic::{Request, Response, Status};

/// The full name of the service.
pub(crate) const SERVICE: &str = SERVICE_NAME;

/// The books, and the time since which they count.
#[derive(Debug, Clone)]
struct Stats {
    books: Books,
    start: SystemTime,
}

/// The service over books that count since now.
pub(crate) fn service(
    books: Books,
    max_message_bytes: usize,
) -> IngestServiceServer<impl IngestService + Clone> {
    IngestServiceServer::new(Stats { books, start: SystemTime::now() })
        .max_decoding_message_size(max_message_bytes)
}

#[tonic::async_trait]
impl IngestService for Stats {
    async fn get_ingest_stats(
        &self,
        _: Request<GetIngestStatsRequest>,
    ) -> Result<Response<GetIngestStatsResponse>, Status> {
        let accounts = self.books.accounts();
        Ok(Response::new(GetIngestStatsResponse {
            start_time: Some(self.start.into()),
            accounts: accounts
                .into_iter()
                .map(|((project, signal), account)| encode(project, signal, &account))
                .collect(),
        }))
    }
}

fn encode(project_id: ProjectId, signal: Signal, account: &Account) -> IngestAccount {
    IngestAccount {
        project_id: project_id.0,
        signal: signal.name().to_owned(),
        received: account.received,
        stored: account.stored,
        duplicate: account.duplicate,
        rejected: counts(&account.rejected),
        refused: counts(&account.refused),
        pending: account.pending(),
        completed: account.completed,
        late: account.late,
    }
}

fn counts(reasons: &BTreeMap<&'static str, u64>) -> Vec<IngestCount> {
    reasons
        .iter()
        .map(|(reason, records)| IngestCount { reason: (*reason).to_owned(), records: *records })
        .collect()
}
