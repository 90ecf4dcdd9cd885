//! Every dialect and extent of metadata: the same blocks, whenever somebody comes.

use std::sync::Arc;

use alloy_consensus::Receipt;
use alloy_primitives::B256;
use blockwright_flashblocks::{
    Dialect, FlashblockId, FlashblocksPayloadV1, Form, JsonFlashblock, MetadataDetail, decode_json,
    decode_spec,
};
use blockwright_seams::FlashblockSink;
use blockwright_stream::{StreamConfig, StreamLimits};
use blockwright_types::{BlockPart, Flashblock};
use op_alloy_consensus::OpReceipt;
use tokio_tungstenite::tungstenite::Message;

use crate::fixture::{Client, Read, Running, config, flashblock, start, start_with, unpack};

pub(crate) fn query(form: Form) -> String {
    format!("dialect={}&metadata={}", form.dialect(), form.metadata())
}

/// A frame of any form, decoded.
#[derive(Debug)]
pub(crate) enum Decoded {
    Json(Box<JsonFlashblock>),
    Spec(Box<FlashblocksPayloadV1>),
}

impl Decoded {
    /// Payload number and index.
    fn position(&self) -> (u8, u64) {
        match self {
            Self::Json(read) => (read.payload.payload_id.0[7], read.payload.index),
            Self::Spec(read) => (read.payload_id[7], read.index),
        }
    }

    /// What no form leaves out.
    fn common(&self) -> (Option<u64>, B256, u64, Vec<Vec<u8>>) {
        match self {
            Self::Json(read) => (
                read.payload.base.as_ref().map(|base| base.timestamp),
                read.payload.diff.receipts_root,
                read.payload.diff.gas_used,
                read.payload
                    .diff
                    .transactions
                    .iter()
                    .map(|tx| tx.to_vec())
                    .collect(),
            ),
            Self::Spec(read) => (
                read.base.as_ref().map(|base| base.timestamp),
                read.diff.receipts_root,
                read.diff.gas_used,
                read.diff
                    .transactions
                    .iter()
                    .map(|tx| tx.bytes().to_vec())
                    .collect(),
            ),
        }
    }
}

pub(crate) async fn read(client: &mut Client, form: Form) -> Decoded {
    let bytes = match client.message().await {
        Message::Text(text) if form.is_text() => text.as_bytes().to_vec(),
        Message::Binary(packed) if form.is_text() => unpack(&packed),
        Message::Binary(bytes) => bytes.to_vec(),
        other => panic!("{form:?}: {other:?}"),
    };
    match form.dialect() {
        Dialect::Spec => Decoded::Spec(Box::new(decode_spec(&bytes).unwrap())),
        Dialect::V1 | Dialect::Subblocks => Decoded::Json(Box::new(decode_json(&bytes).unwrap())),
    }
}

pub(crate) async fn read_spec(client: &mut Client) -> FlashblocksPayloadV1 {
    match read(client, Form::Spec).await {
        Decoded::Spec(read) => *read,
        Decoded::Json(read) => panic!("{read:?}"),
    }
}

const POSITIONS: [(u8, u64); 6] = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0)];

async fn publish_paced(server: &Running) {
    let mut pacer = server.client_at("/?replay=none").await;
    for (payload, index) in POSITIONS {
        server.publish(payload, index);
        assert_eq!(pacer.next().await, (payload, index));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_of_every_form_read_the_same_blocks() {
    let server = start(StreamLimits::default()).await;
    let mut clients = Vec::new();
    for form in Form::ALL {
        clients.push((form, server.client_at(&format!("/?{}", query(form))).await));
        if form != Form::Spec {
            let packed = format!("/?{}&encoding=zstd", query(form));
            clients.push((form, server.client_at(&packed).await));
        }
    }
    for (payload, index) in POSITIONS {
        let published = flashblock(payload, index, 16);
        server.publish(payload, index);
        for (form, client) in &mut clients {
            let read = read(client, *form).await;
            assert_eq!(read.position(), (payload, index), "{form:?}");
            let base = published.base.as_ref().map(|base| base.timestamp);
            let transactions = vec![published.part.transactions[0].encoded.to_vec()];
            let expected = (
                base,
                published.receipts_root,
                published.gas_used,
                transactions,
            );
            assert_eq!(read.common(), expected, "{form:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_late_reads_the_hash_chain_from_index_0() {
    let server = start(StreamLimits::default()).await;
    publish_paced(&server).await;
    server.publish(3, 1);
    let mut late = server.client_at("/?dialect=spec").await;
    let mut earlier = server
        .client_at("/?dialect=spec&block_number=1&flashblock_index=1")
        .await;
    server.publish(3, 2);
    let mut parent = None;
    for index in 0..3 {
        let read = read_spec(&mut late).await;
        assert_eq!((read.payload_id[7], read.index), (3, index));
        assert_eq!(read.parent_flash_hash.0, parent);
        parent = Some(read.flash_hash());
    }
    // From the middle of a payload of which nobody has read this form before.
    let resumed = read_spec(&mut earlier).await;
    assert_eq!((resumed.payload_id[7], resumed.index), (1, 2));
    let mut whole = server
        .client_at("/?dialect=spec&block_number=1&flashblock_index=0")
        .await;
    let before = read_spec(&mut whole).await;
    assert_eq!(resumed.parent_flash_hash.0, Some(before.flash_hash()));
}

/// Cut after every frame, and back with the next form each time: each flashblock exactly once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_is_resumed_without_hole_or_duplicate() {
    let server = start(StreamLimits::default()).await;
    publish_paced(&server).await;
    for form in Form::ALL {
        let mut at = POSITIONS[0];
        for expected in &POSITIONS[1..] {
            let (block, index) = at;
            let position = format!("block_number={block}&flashblock_index={index}");
            let path = format!("/?{}&{position}", query(form));
            let mut client = server.client_at(&path).await;
            at = read(&mut client, form).await.position();
            assert_eq!(at, *expected, "{form:?}");
        }
    }
}

/// The flashblock before is named across blocks, also to those who come late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minimal_metadata_names_the_flashblock_before() {
    let server = start(StreamLimits::default()).await;
    publish_paced(&server).await;
    for (path, first) in [
        ("/?metadata=minimal&block_number=1&flashblock_index=0", 1),
        ("/?metadata=minimal&dialect=subblocks", 5),
    ] {
        let mut client = server.client_at(path).await;
        for place in first..POSITIONS.len() {
            let form = Form::V1(MetadataDetail::Minimal);
            let Decoded::Json(read) = read(&mut client, form).await else {
                panic!("minimal metadata is JSON");
            };
            let (block, index) = POSITIONS[place - 1];
            let before = FlashblockId {
                block_number: u64::from(block),
                index,
            };
            assert_eq!(read.prev_flashblock_id, Some(before), "{path}");
        }
    }
}

/// What others read changes nothing for a bare connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bare_connection_reads_the_same_bytes_whoever_else_is_there() {
    let (alone, shared) = (
        start(StreamLimits::default()).await,
        start(StreamLimits::default()).await,
    );
    let mut others = Vec::new();
    for form in Form::ALL {
        others.push((form, shared.client_at(&format!("/?{}", query(form))).await));
    }
    let (mut bare, mut beside) = (alone.client().await, shared.client().await);
    for (payload, index) in POSITIONS {
        alone.publish_sized(payload, index, 1_000);
        shared.publish_sized(payload, index, 1_000);
        let expected = bare.message().await;
        assert!(expected.is_text());
        assert_eq!(beside.message().await, expected);
        for (form, other) in &mut others {
            let position = read(other, *form).await.position();
            assert_eq!(position, (payload, index));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_says_what_metadata_is_sent_where_nothing_is_asked() {
    let server = start_with(StreamConfig {
        metadata: MetadataDetail::Empty,
        prev_id: true,
        ..config()
    })
    .await;
    let mut bare = server.client().await;
    let mut full = server.client_at("/?metadata=full").await;
    server.publish(1, 0);
    server.publish(1, 1);
    for index in 0..2 {
        let Message::Text(bare) = bare.message().await else {
            panic!("JSON is text");
        };
        assert!(bare.contains("\"receipts\":{}"), "{bare}");
        let Message::Text(full) = full.message().await else {
            panic!("JSON is text");
        };
        assert!(full.contains("\"receipts\":{\"0x"), "{full}");
        for text in [&bare, &full] {
            let named = text.contains("\"prev_flashblock_id\":\"1-0\"");
            assert_eq!(named, index == 1, "{text}");
        }
    }
}

/// A flashblock whose receipts contradict each other: JSON can say it, `spec` cannot.
pub(crate) fn without_spec_form(payload: u8, index: u64) -> Arc<Flashblock> {
    let flashblock = flashblock(payload, index, 16);
    let transactions = vec![flashblock.part.transactions[0].clone(); 2];
    let receipt = |cumulative_gas_used| {
        OpReceipt::Legacy(Receipt {
            status: true.into(),
            cumulative_gas_used,
            logs: Vec::new(),
        })
    };
    let receipts = vec![receipt(2), receipt(1)];
    Arc::new(Flashblock {
        part: Arc::new(BlockPart::new(transactions, receipts, Vec::new())),
        ..Flashblock::clone(&flashblock)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_frame_of_a_form_closes_its_readers_alone() {
    let server = start(StreamLimits::default()).await;
    let mut v1 = server.client().await;
    let mut subblocks = server.client_at("/?dialect=subblocks").await;
    let mut spec = server.client_at("/?dialect=spec").await;
    server.publish(1, 0);
    server.publisher.publish(without_spec_form(1, 1));
    server.publish(2, 0);
    for client in [&mut v1, &mut subblocks] {
        for expected in [(1, 0), (1, 1), (2, 0)] {
            assert_eq!(client.next().await, expected);
        }
    }
    assert_eq!(read_spec(&mut spec).await.index, 0);
    let Read::Closed(Some(close)) = spec.read().await else {
        panic!("a close is expected");
    };
    assert_eq!(u16::from(close.code), 1013);
    assert!(close.reason.contains("another dialect"), "{close}");
    let mut again = server.client_at("/?dialect=spec").await;
    assert_eq!(read_spec(&mut again).await.payload_id[7], 2);
}
