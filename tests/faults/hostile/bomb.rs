//! Requests that are small on the wire and huge once decompressed.

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::raw::{self, TRACES};
use harness::retry::delay_asked_by;

use super::{MAX_REQUEST_BYTES, MIB, Siege};
use crate::caller::{Answer, assert_refused_for_good};
use crate::run::Run;

/// Just over the limit, and far over it.
const EXPANDED: [u64; 2] = [MAX_REQUEST_BYTES + MIB, 16 * MAX_REQUEST_BYTES];
const AT_ONCE: usize = 4;

fn gzip(expanded: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    write_zeros(&mut encoder, expanded);
    encoder.finish().unwrap()
}

fn zstd(expanded: u64) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    write_zeros(&mut encoder, expanded);
    encoder.finish().unwrap()
}

fn write_zeros(encoder: &mut impl std::io::Write, bytes: u64) {
    let zeros = vec![0; MIB as usize];
    for _ in 0..bytes / MIB {
        encoder.write_all(&zeros).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_do_not_go_off() {
    let run = Run::of("bombs");
    for (encoding, make) in [("gzip", gzip as fn(u64) -> Vec<u8>), ("zstd", zstd)] {
        for expanded in &EXPANDED[..run.pick(1, 2)] {
            let bomb = make(*expanded);
            let ratio = expanded / bomb.len() as u64;
            println!("a {encoding} bomb of {} bytes, {ratio}:1", bomb.len());
            assert!(ratio >= 1_000);
            // One after the other, the first alone: a second one must not find what the first has left.
            for at_once in [1, AT_ONCE] {
                let siege = Siege::of(&[]).await;
                let throws = (0..at_once).map(|_| {
                    let (channel, bomb) = (siege.honest.0.clone(), bomb.clone());
                    tokio::spawn(
                        async move { raw::send::<Answer>(&channel, TRACES, Some(encoding), &bomb).await },
                    )
                });
                for thrown in throws.collect::<Vec<_>>() {
                    let status = thrown.await.unwrap().unwrap_err();
                    match delay_asked_by(&status) {
                        // Together they fill the budget before the daemon sees how large each is.
                        Some(delay) if at_once > 1 => println!("refused for now, with a delay of {delay:?}"),
                        _ => assert_refused_for_good(&status),
                    }
                }
                siege.ends(&format!("{at_once} {encoding} bombs at once"), 2 * MAX_REQUEST_BYTES).await;
            }
        }
    }
}
