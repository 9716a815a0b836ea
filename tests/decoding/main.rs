//! Our decoding of OTLP beside prost's ([`harness::differential`]): on random requests, on the same after damage, and on the
//! corpus of the fuzz targets. `make fuzz` looks further.

#![expect(clippy::unwrap_used, reason = "a test: what fails here should panic, in helpers too")]

mod corpus;
mod damage;
mod seeds;

use harness::{differential, otlp};
use proptest::prelude::*;
use prost::Message as _;

use damage::damages;

/// Few in a usual run, many when the fault tests are run at their full length.
fn config() -> ProptestConfig {
    let full = std::env::var("OBSERVATORY_TEST_FAULTS").is_ok_and(|length| length == "full");
    let cases = if full { 512 } else { 24 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn traces(request in otlp::traces(), damages in damages()) {
        differential::traces(&request.encode_to_vec());
        differential::traces(&damage::apply(&damages, request.encode_to_vec()));
    }

    #[test]
    fn metrics(request in otlp::metrics(), damages in damages()) {
        differential::metrics(&request.encode_to_vec());
        differential::metrics(&damage::apply(&damages, request.encode_to_vec()));
    }

    #[test]
    fn logs(request in otlp::logs(), damages in damages()) {
        differential::logs(&request.encode_to_vec());
        differential::logs(&damage::apply(&damages, request.encode_to_vec()));
    }
}
