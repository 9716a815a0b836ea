use std::io::Write as _;
use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::channel::Channel;

use super::*;

const LIMIT: usize = 100_000;

fn config() -> IngestConfig {
    IngestConfig { max_request_bytes: LIMIT, ..IngestConfig::default() }
}

fn framed(is_compressed: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(is_compressed);
    frame.put_u32(payload.len().try_into().unwrap());
    frame.put_slice(payload);
    frame.freeze()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 3).unwrap()
}

/// Reads a body that arrives in pieces of `piece` bytes.
async fn read_pieces(encoding: Option<&str>, body: &[u8], piece: usize) -> Result<(Bytes, usize), Unread> {
    let mut headers = HeaderMap::new();
    if let Some(encoding) = encoding {
        headers.insert("grpc-encoding", encoding.parse().unwrap());
    }
    let (mut sender, channel) = Channel::<Bytes>::new(1);
    let pieces: Vec<_> = body.chunks(piece).map(Bytes::copy_from_slice).collect();
    tokio::spawn(async move {
        for piece in pieces {
            if sender.send_data(piece).await.is_err() {
                return;
            }
        }
    });
    let message = read(headers, Body::new(channel), &config(), &Arriving::new(&config())).await?;
    Ok((message.bytes, message.charge.bytes()))
}

#[tokio::test]
async fn a_message_arrives_in_pieces_of_any_size() {
    let text: Vec<u8> = (0..50_000_u32).map(|n| (n % 251) as u8).collect();
    let bodies = [
        (None, framed(0, &text)),
        (Some("gzip"), framed(1, &gzip(&text))),
        (Some("zstd"), framed(1, &zstd(&text))),
        (Some("gzip"), framed(0, &text)),
    ];
    for (encoding, body) in bodies {
        for piece in [1, 3, 7, 1_000, 1_000_000] {
            let (bytes, charged) = read_pieces(encoding, &body, piece).await.unwrap();
            assert_eq!(bytes, text, "{encoding:?} in pieces of {piece}");
            assert!(charged >= text.len(), "{charged}");
        }
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused() {
    let large = vec![7; LIMIT + 1];
    let bodies = [
        (None, framed(0, &large)),
        (Some("gzip"), framed(1, &gzip(&large))),
        (Some("zstd"), framed(1, &zstd(&large))),
        (Some("gzip"), framed(1, &gzip(&vec![0; 100 * LIMIT]))),
        (Some("zstd"), framed(1, &zstd(&vec![0; 100 * LIMIT]))),
    ];
    for (encoding, body) in bodies {
        let unread = read_pieces(encoding, &body, 10_000).await.unwrap_err();
        assert!(matches!(unread, Unread::TooLarge), "{encoding:?}: {unread:?}");
    }
    let just_fits = vec![7; LIMIT];
    for (encoding, body) in [(None, framed(0, &just_fits)), (Some("zstd"), framed(1, &zstd(&just_fits)))] {
        assert_eq!(read_pieces(encoding, &body, 10_000).await.unwrap().0, just_fits);
    }
}

#[tokio::test]
async fn a_broken_message_is_refused() {
    let text = b"a message of some length".repeat(100);
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 9].to_vec();
    let bodies = [
        (None, Bytes::new()),
        (None, Bytes::from_static(&[0, 0, 0])),
        (None, Bytes::from(cut(&framed(0, &text)))),
        (None, Bytes::from([&framed(0, &text)[..], b"more"].concat())),
        (None, framed(1, &text)),
        (None, framed(2, &text)),
        (Some("gzip"), framed(1, &cut(&gzip(&text)))),
        (Some("zstd"), framed(1, &cut(&zstd(&text)))),
        (Some("gzip"), framed(1, &[&gzip(&text)[..], b"more"].concat())),
        (Some("gzip"), framed(1, &text)),
        (Some("zstd"), framed(1, &text)),
    ];
    for (encoding, body) in bodies {
        let unread = read_pieces(encoding, &body, 1_000).await.unwrap_err();
        assert!(matches!(unread, Unread::Malformed(_)), "{encoding:?}: {unread:?}");
    }
    assert!(matches!(read_pieces(Some("snappy"), b"", 1).await, Err(Unread::Encoding)));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_stalls_is_refused_and_leaves_room_for_others() {
    const ANNOUNCED: usize = 50 * 1024 * 1024;
    let config = IngestConfig::default();
    let arriving = Arc::new(Arriving::new(&config));
    let (mut sender, channel) = Channel::<Bytes>::new(1);
    let begin = Instant::now();
    let reading = tokio::spawn({
        let (config, arriving) = (config.clone(), arriving.clone());
        async move { read(HeaderMap::new(), Body::new(channel), &config, &arriving).await.map(|_| ()) }
    });
    sender.send_data(framed(0, &vec![0; ANNOUNCED]).slice(..1_000)).await.unwrap();
    tokio::task::yield_now().await;
    let ordinary = arriving.announce(1024 * 1024, Instant::now()).await;
    assert!(ordinary.is_some(), "others have room meanwhile");
    drop(ordinary);
    assert!(matches!(reading.await.unwrap(), Err(Unread::TooSlow)));
    assert_eq!(begin.elapsed(), config.receive_idle());
    assert_eq!(arriving.taken(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_trickle_is_refused_after_receive_within_ms() {
    let config = IngestConfig::default();
    let (mut sender, channel) = Channel::<Bytes>::new(1);
    let begin = Instant::now();
    tokio::spawn(async move {
        for byte in framed(0, &[7; 1_000]).chunks(1) {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            if sender.send_data(Bytes::copy_from_slice(byte)).await.is_err() {
                return;
            }
        }
    });
    let read = read(HeaderMap::new(), Body::new(channel), &config, &Arriving::new(&config)).await;
    assert!(matches!(read.map(|_| ()), Err(Unread::TooSlow)));
    assert_eq!(begin.elapsed(), config.receive_within());
}

#[tokio::test(start_paused = true)]
async fn a_request_without_room_is_refused_after_patience_ms() {
    const ORDINARY: usize = 1024 * 1024;
    let config = IngestConfig { arriving_bytes: ORDINARY, ..IngestConfig::default() };
    let arriving = Arriving::new(&config);
    let _other = arriving.announce(ORDINARY - 20_000, Instant::now()).await.unwrap();
    let body = http_body_util::Full::new(framed(0, &[0; 50_000]));
    let begin = Instant::now();
    let unread = read(HeaderMap::new(), Body::new(body), &config, &arriving).await.map(|_| ()).unwrap_err();
    assert!(matches!(unread, Unread::NoRoom), "{unread:?}");
    assert_eq!(begin.elapsed(), config.patience());
}
