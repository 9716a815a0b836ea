//! `observatory stats`: the books of a running observatory.

use clap::Args;
use llm_observatory_proto::v1::ingest_service_client::IngestServiceClient;
use llm_observatory_proto::v1::{GetIngestStatsRequest, IngestAccount, IngestCount};

use super::failure::Failure;
use super::output::{CallFailed, Format, connect, print_json, print_table};
use super::table::Table;

/// Options of `stats`.
#[derive(Debug, Args)]
pub(super) struct Stats {
    /// Address on which the observatory receives OTLP.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "OBSERVATORY_INGEST_ADDRESS",
        default_value = "127.0.0.1:4317"
    )]
    ingest_address: String,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Stats {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let channel = connect(&self.ingest_address, "--ingest-address", "127.0.0.1:4317").await?;
        let mut client = IngestServiceClient::new(channel);
        let stats = client.get_ingest_stats(GetIngestStatsRequest {}).await.map_err(CallFailed)?.into_inner();
        match self.format {
            Format::Json => print_json(&stats.accounts.iter().map(json).collect::<Vec<_>>()),
            Format::Table => print_table(&table(&stats.accounts)),
        }
    }
}

fn table(accounts: &[IngestAccount]) -> Table {
    let columns =
        ["project", "signal", "received", "stored", "duplicate", "rejected", "refused", "pending", "late"];
    let mut table = Table::new(&columns);
    for account in accounts {
        table.row([
            account.project_id.to_string(),
            account.signal.clone(),
            account.received.to_string(),
            account.stored.to_string(),
            account.duplicate.to_string(),
            by_reason(&account.rejected),
            by_reason(&account.refused),
            account.pending.to_string(),
            account.late.to_string(),
        ]);
    }
    table
}

/// The sum, and its parts by reason: `7 (no_room 5, unavailable 2)`.
fn by_reason(counts: &[IngestCount]) -> String {
    let sum: u64 = counts.iter().map(|count| count.records).sum();
    if counts.is_empty() {
        return sum.to_string();
    }
    let parts: Vec<_> = counts.iter().map(|count| format!("{} {}", count.reason, count.records)).collect();
    format!("{sum} ({})", parts.join(", "))
}

fn json(account: &IngestAccount) -> serde_json::Value {
    let reasons = |counts: &[IngestCount]| -> serde_json::Map<String, serde_json::Value> {
        counts.iter().map(|count| (count.reason.clone(), count.records.into())).collect()
    };
    serde_json::json!({
        "projectId": account.project_id,
        "signal": account.signal,
        "received": account.received,
        "stored": account.stored,
        "duplicate": account.duplicate,
        "completed": account.completed,
        "rejected": reasons(&account.rejected),
        "refused": reasons(&account.refused),
        "pending": account.pending,
        "late": account.late,
    })
}
