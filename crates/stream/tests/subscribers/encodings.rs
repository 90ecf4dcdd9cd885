//! Compressed frames are the plain ones.

use blockwright_stream::StreamLimits;
use tokio_tungstenite::tungstenite::Message;

use crate::fixture::{Client, start, unpack};

async fn text(client: &mut Client) -> Vec<u8> {
    match client.message().await {
        Message::Text(text) => text.as_bytes().to_vec(),
        other => panic!("expected a text frame: {other:?}"),
    }
}

async fn packed(client: &mut Client) -> Vec<u8> {
    match client.message().await {
        Message::Binary(packed) => packed.to_vec(),
        other => panic!("expected a binary frame: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_encoding_decodes_to_the_same_bytes_live_and_replayed() {
    let server = start(StreamLimits::default()).await;
    let mut plain = server.client_at("/?encoding=json").await;
    let mut brotli = server.client_at("/?encoding=brotli").await;
    let mut zstd = server.client_at("/?encoding=zstd").await;
    let mut frames = Vec::new();
    for (index, size_bytes) in [16, 100_000, 1].into_iter().enumerate() {
        server.publish_sized(1, index as u64, size_bytes);
        let frame = text(&mut plain).await;
        for client in [&mut brotli, &mut zstd] {
            let packed = packed(client).await;
            assert!(packed.len() < frame.len());
            assert_eq!(unpack(&packed), frame);
        }
        frames.push(frame);
    }
    for encoding in ["brotli", "zstd"] {
        let mut late = server.client_at(&format!("/?encoding={encoding}")).await;
        for frame in &frames {
            assert_eq!(&unpack(&packed(&mut late).await), frame);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_encoding_is_in_the_format_it_is_asked_for() {
    let server = start(StreamLimits::default()).await;
    server.publish(1, 0);
    let mut zstd = server.client_at("/?encoding=zstd").await;
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    assert!(packed(&mut zstd).await.starts_with(&magic));
    let mut brotli = server.client_at("/?encoding=brotli").await;
    let packed = packed(&mut brotli).await;
    assert!(!packed.starts_with(&magic) && !packed.starts_with(b"{"));
}
