//! What became of payloads, beside the stream.

use alloy_primitives::B256;
use blockwright_seams::FlashblockSink;
use blockwright_stream::StreamLimits;
use blockwright_types::{PayloadEnd, PayloadId, PayloadOutcome, StopReason};
use tokio_tungstenite::tungstenite::Message;

use crate::fixture::{Client, start};

fn end(payload: u8, outcome: PayloadOutcome) -> PayloadEnd {
    PayloadEnd {
        payload_id: PayloadId::new([3, 0, 0, 0, 0, 0, 0, payload]),
        block_number: u64::from(payload),
        block_hash: B256::repeat_byte(0xab),
        last_index: 4,
        outcome,
    }
}

async fn notice(client: &mut Client) -> String {
    match client.message().await {
        Message::Text(text) => text.to_string(),
        other => panic!("expected a notice: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_come_on_their_own_path_and_nowhere_else() {
    let server = start(StreamLimits::default()).await;
    let mut stream = server.client_at("/notices/x").await;
    let mut listener = server.client_at("/notices").await;
    let mut other = server.client_at("/notices/?x=1").await;
    server.publish(1, 0);
    server.publisher.ended(end(1, PayloadOutcome::Sealed));
    let abandoned = PayloadOutcome::Abandoned(StopReason::Superseded);
    server.publisher.ended(end(2, abandoned));
    server.publish(1, 1);
    let hash = "ab".repeat(32);
    let sealed = format!(
        "{{\"type\":\"sealed\",\"payload_id\":\"0x0300000000000001\",\"block_number\":1,\
         \"block_hash\":\"0x{hash}\",\"flashblock_index\":4}}"
    );
    let abandoned = format!(
        "{{\"type\":\"abandoned\",\"payload_id\":\"0x0300000000000002\",\"block_number\":2,\
         \"block_hash\":\"0x{hash}\",\"flashblock_index\":4,\"reason\":\"superseded\"}}"
    );
    for client in [&mut listener, &mut other] {
        assert_eq!(notice(client).await, sealed);
        assert_eq!(notice(client).await, abandoned);
    }
    assert_eq!(stream.next().await, (1, 0));
    assert_eq!(stream.next().await, (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_before_the_end_arrives_before_the_goodbye() {
    let server = start(StreamLimits::default()).await;
    let mut listener = server.client_at("/notices").await;
    let mut stream = server.client().await;
    server.publish(1, 0);
    let shutdown = PayloadOutcome::Abandoned(StopReason::Shutdown);
    server.publisher.ended(end(1, shutdown));
    server.publisher.flush().await;
    server.stop.send(()).unwrap();
    assert!(
        notice(&mut listener)
            .await
            .contains("\"reason\":\"shutdown\"")
    );
    assert_eq!(stream.next().await, (1, 0));
    for client in [&mut listener, &mut stream] {
        assert!(matches!(client.message().await, Message::Close(Some(_))));
    }
}
