//! What differs between the three signals; the rest of this crate is the same for all of them.

use llm_observatory_storage::writers::{Batch, LogBatch, MetricBatch, TraceBatch};

use crate::decode::census::Census;
use crate::decode::decoded::{Decoded, Undecodable};
use crate::decode::decoder::Decoder;
use crate::decode::place::Levels;
use crate::decode::{log, metric, trace};
use crate::wire::Malformed;

/// A batch whose rows are decoded from the OTLP requests of one signal.
pub trait OtlpSignal: Batch + 'static {
    /// The names of the levels of a request, the outermost first.
    const LEVELS: Levels;

    /// Counts the records and groups of a request.
    ///
    /// # Errors
    /// [`Malformed`] when its outer framing is broken.
    fn census(request: &[u8]) -> Result<Census, Malformed>;

    /// Decodes a request into rows.
    ///
    /// # Errors
    /// [`Undecodable::Malformed`] when its outer framing is broken; [`Undecodable::Outgrown`] when its rows take more
    /// memory than their allowance.
    fn decode(decoder: Decoder<'_>) -> Result<Decoded<Self>, Undecodable>;
}

impl OtlpSignal for TraceBatch {
    const LEVELS: Levels = trace::LEVELS;

    fn census(request: &[u8]) -> Result<Census, Malformed> {
        Census::of_records(request)
    }

    fn decode(decoder: Decoder<'_>) -> Result<Decoded<Self>, Undecodable> {
        trace::decode(decoder)
    }
}

impl OtlpSignal for MetricBatch {
    const LEVELS: Levels = metric::LEVELS;

    fn census(request: &[u8]) -> Result<Census, Malformed> {
        Census::of_points(request)
    }

    fn decode(decoder: Decoder<'_>) -> Result<Decoded<Self>, Undecodable> {
        metric::decode(decoder)
    }
}

impl OtlpSignal for LogBatch {
    const LEVELS: Levels = log::LEVELS;

    fn census(request: &[u8]) -> Result<Census, Malformed> {
        Census::of_records(request)
    }

    fn decode(decoder: Decoder<'_>) -> Result<Decoded<Self>, Undecodable> {
        log::decode(decoder)
    }
}
