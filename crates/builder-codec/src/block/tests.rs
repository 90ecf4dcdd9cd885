use std::path::Path;

use alloy_primitives::{Bytes, U256};
use serde_json::Value;

use super::*;
use crate::{ExecutionPayloadHeader, bid_root, transactions_root};

fn vectors() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/vectors.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    vectors["blocks"].as_array().unwrap().clone()
}

fn field<T: core::str::FromStr>(vector: &Value, name: &str) -> T {
    let parsed = vector[name].as_str().unwrap().parse();
    parsed.unwrap_or_else(|_| panic!("{name}"))
}

fn fork(vector: &Value) -> PayloadFork {
    match vector["fork"].as_str().unwrap() {
        "Bellatrix" => PayloadFork::Bellatrix,
        "Capella" => PayloadFork::Capella,
        "Deneb" => PayloadFork::Deneb,
        other => panic!("{other}"),
    }
}

fn header(vector: &Value) -> ExecutionPayloadHeader {
    let bytes: Bytes = field(vector, "header");
    fn decode<T: Decode + Encode>(bytes: &[u8]) -> T {
        let header = T::from_ssz_bytes(bytes).unwrap();
        assert_eq!(header.as_ssz_bytes(), bytes);
        header
    }
    match fork(vector) {
        PayloadFork::Bellatrix => ExecutionPayloadHeader::Bellatrix(decode(&bytes)),
        PayloadFork::Capella => ExecutionPayloadHeader::Capella(decode(&bytes)),
        PayloadFork::Deneb => ExecutionPayloadHeader::Deneb(decode(&bytes)),
    }
}

#[test]
fn blocks_decode_blinded_and_full_to_one_root() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 6);
    for vector in &vectors {
        for (form, is_blinded) in [("blinded", true), ("full", false)] {
            let bytes: Bytes = field(vector, form);
            let expected = RequestedBlock {
                slot: vector["slot"].as_u64().unwrap(),
                root: field(vector, "root"),
                block_hash: field(vector, "blockHash"),
                payload_root: field(vector, "payloadRoot"),
                is_blinded,
            };
            assert_eq!(RequestedBlock::decode(fork(vector), &bytes), Ok(expected));
        }
    }
}

#[test]
fn a_block_of_another_fork_or_with_bytes_more_or_less_is_none() {
    for vector in &vectors() {
        let bytes: Bytes = field(vector, "blinded");
        let fork = fork(vector);
        for other in [
            PayloadFork::Bellatrix,
            PayloadFork::Capella,
            PayloadFork::Deneb,
        ] {
            let decoded = RequestedBlock::decode(other, &bytes);
            assert_eq!(decoded.is_ok(), other == fork, "{fork:?} as {other:?}");
        }
        for end in 0..bytes.len().min(200) {
            let cut = RequestedBlock::decode(fork, &bytes[..end]);
            assert_eq!(cut, Err(BlockError { fork }), "{end} bytes");
        }
        let cut = RequestedBlock::decode(fork, &bytes[..bytes.len() - 1]);
        assert_eq!(cut.is_ok(), ends_in_extra_data(vector));
    }
}

/// Extra data, of which there may be any number of bytes, stand last in a payload's header, which stands last
/// in Bellatrix alone: behind it an offset tells where a list begins, even an empty one.
fn ends_in_extra_data(vector: &Value) -> bool {
    fork(vector) == PayloadFork::Bellatrix && !extra_data(vector).is_empty()
}

fn extra_data(vector: &Value) -> Vec<u8> {
    let extra = match header(vector) {
        ExecutionPayloadHeader::Bellatrix(header) => header.extra_data,
        ExecutionPayloadHeader::Capella(header) => header.extra_data,
        ExecutionPayloadHeader::Deneb(header) => header.extra_data,
    };
    extra.to_vec()
}

#[test]
fn the_bid_and_the_transactions_have_the_roots_of_another_implementation() {
    for vector in &vectors() {
        let header = header(vector);
        assert_eq!(header.root(), field::<B256>(vector, "payloadRoot"));
        let value: U256 = field(vector, "value");
        assert_eq!(bid_root(&header, value), field::<B256>(vector, "bidRoot"));
        assert_ne!(
            bid_root(&header, value + U256::ONE),
            field::<B256>(vector, "bidRoot")
        );
        let transactions = vector["transactions"].as_array().unwrap();
        let transactions: Vec<Bytes> = transactions
            .iter()
            .map(|transaction| transaction.as_str().unwrap().parse().unwrap())
            .collect();
        let root = transactions_root(&transactions).unwrap();
        assert_eq!(root, field::<B256>(vector, "transactionsRoot"));
    }
}

#[test]
fn a_block_around_a_header_is_decoded_as_such() {
    for vector in &vectors() {
        let header = header(vector);
        let block = header.blinded_block();
        let requested = RequestedBlock::decode(fork(vector), &block.bytes).unwrap();
        assert!(requested.is_blinded);
        assert_eq!(requested.root, block.root);
        assert_eq!(requested.payload_root, header.root());
        assert_eq!(requested.block_hash, field::<B256>(vector, "blockHash"));
    }
}
