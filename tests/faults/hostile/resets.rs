//! Streams that are begun and reset at once, faster than any client has reason to.

use std::time::Duration;

use h2::Reason;
use tokio::time::timeout;

use super::http2::{begin, connect};
use super::{MAX_REQUEST_BYTES, Siege};
use crate::run::Run;

const ATTACKER: [u8; 4] = [127, 0, 0, 77];
const LONGEST: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_resets_ends_or_is_served() {
    let siege = Siege::of(&[]).await;
    let resets = Run::of("a reset flood").pick(20_000, 500_000);
    let (client, connection) = connect(ATTACKER, &siege.daemon).await.unwrap();
    let flood = async {
        for sent in 0..resets {
            match begin(&client).await {
                Ok((_answer, mut body)) => body.send_reset(Reason::CANCEL),
                Err(_) => return sent,
            }
            if sent % 1_000 == 0 {
                siege.serves_honest_clients().await;
            }
        }
        resets
    };
    let sent = timeout(LONGEST, flood).await.unwrap_or(resets);
    drop(client);
    let end = timeout(LONGEST, connection).await.expect("the connection ends").unwrap();
    println!("reset flood: {sent} of {resets} resets sent, and the connection ended by {end:?}");
    if let Err(error) = &end {
        let told = error.is_go_away() || error.is_io();
        assert!(told, "{error:?}");
    }
    siege.ends("a reset flood", MAX_REQUEST_BYTES).await;
}
