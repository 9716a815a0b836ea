//! `observatory query`: shows what a running observatory has stored.

mod cost;
mod llm;
pub(super) mod models;
pub(super) mod pages;
pub(super) mod period;
pub(super) mod show;
mod span;
mod traces;

use clap::{Args, Subcommand};
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::trace_service_client::TraceServiceClient;

use super::failure::Failure;
use super::output::Ask;

/// Largest message of an answer, in bytes. The daemon sends a trace in messages of about 1 MiB, but a span may be
/// larger.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// Options of `query`.
#[derive(Debug, Args)]
pub(super) struct Query {
    #[command(flatten)]
    ask: Ask,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show all spans of one trace.
    Trace {
        /// The trace id: 32 hexadecimal digits.
        id: String,
    },
    /// Show the latest traces.
    Traces {
        /// Only traces that have a span of this service.
        #[arg(long, default_value = "", hide_default_value = true)]
        service: String,
        #[command(flatten)]
        period: period::Period,
        /// Most traces to show, at least 1.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show the latest LLM spans; or one, with its conversation, given --trace and --span.
    Llm(Box<llm::Llm>),
    /// Show why an LLM span costs what it costs.
    Cost {
        /// The trace id: 32 hexadecimal digits.
        trace: String,
        /// The span id: 16 hexadecimal digits.
        span: String,
    },
    /// Show the models that were called, with their calls, tokens and cost.
    Models(models::Models),
}

impl Query {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (channel, format) = (self.ask.connect().await?, self.ask.format);
        let spans = TraceServiceClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES);
        let llm = LlmServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES);
        match self.what {
            What::Trace { id } => traces::trace(spans, id, format).await,
            What::Traces { service, period, limit } => {
                traces::traces(spans, service, period, limit, format).await
            }
            What::Llm(list) => list.run(llm, format).await,
            What::Cost { trace, span } => cost::cost(llm, trace, span, format).await,
            What::Models(models) => models.run(llm, format).await,
        }
    }
}
