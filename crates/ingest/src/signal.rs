//! What differs between the three signals on their way in; everything else in this crate is the same for all of them.

use llm_observatory_storage::writers::{Batch, LogBatch, MetricBatch, TraceBatch};

use crate::decode::census::Census;
use crate::decode::decoded::{Decoded, Undecodable};
use crate::decode::decoder::Decoder;
use crate::decode::place::Levels;
use crate::decode::{log, metric, trace};
use crate::wire::Malformed;

/// The rows of a signal, as OTLP tells them.
pub trait OtlpSignal: Batch + 'static {
    /// The names of the levels of a request.
    const LEVELS: Levels;

    /// Counts the records of a request.
    ///
    /// # Errors
    /// [`Malformed`] when its outer framing is broken.
    fn census(request: &[u8]) -> Result<Census, Malformed>;

    /// A request as rows.
    ///
    /// # Errors
    /// [`Undecodable`] when its outer framing is broken, or its rows take more memory than they are allowed to.
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
