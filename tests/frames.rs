//! Frames of a real run, read with the types of op-alloy as other clients read them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::{BTreeSet, HashMap};

use alloy_consensus::{SignableTransaction, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::Authorization;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use alloy_signer::SignerSync;
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpFlashblockPayload;
use serde_json::{Value, json};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::{account, sign, template};

const CHAIN_ID: u64 = 901;
const FEE_CAP_WEI: u128 = 10_000_000_000;
/// Creates a contract whose code is one STOP, and logs one event meanwhile.
const CREATION: &[u8] = &[
    0x60, 0x2a, 0x5f, 0x5f, 0xa1, // LOG1 with topic 42
    0x60, 0x01, 0x5f, 0xf3, // RETURN one zero byte
];
const REVERT: &[u8] = &[0x5f, 0x5f, 0xfd];

/// What was sent: wire bytes and whether execution succeeds, by hash.
type Sent = HashMap<B256, (Bytes, bool)>;

fn put<T>(sent: &mut Sent, from: usize, mut tx: T, succeeds: bool)
where
    T: SignableTransaction<Signature> + Clone,
    alloy_consensus::Signed<T>: Encodable2718,
{
    let signature = account(from).sign_transaction_sync(&mut tx).unwrap();
    let raw = Bytes::from(tx.into_signed(signature).encoded_2718());
    sent.insert(keccak256(&raw), (raw, succeeds));
}

/// One transaction of each kind that users can send, each from an account of its own.
fn one_of_each() -> Sent {
    let mut sent = Sent::new();
    let to = TxKind::Call(Address::repeat_byte(0x77));
    let legacy = TxLegacy {
        chain_id: Some(CHAIN_ID),
        gas_price: FEE_CAP_WEI,
        gas_limit: 21_000,
        to,
        value: U256::from(1),
        ..TxLegacy::default()
    };
    put(&mut sent, 0, legacy, true);
    let listed = AccessListItem {
        address: Address::repeat_byte(0x55),
        storage_keys: vec![B256::ZERO, B256::repeat_byte(1)],
    };
    let with_list = TxEip2930 {
        chain_id: CHAIN_ID,
        gas_price: FEE_CAP_WEI,
        gas_limit: 50_000,
        to,
        access_list: AccessList(vec![listed]),
        ..TxEip2930::default()
    };
    put(&mut sent, 1, with_list, true);
    put(&mut sent, 2, template(0), true);
    let authorization = Authorization {
        chain_id: U256::from(CHAIN_ID),
        address: Address::repeat_byte(0x66),
        nonce: 0,
    };
    let authority = account(9);
    let signature = authority
        .sign_hash_sync(&authorization.signature_hash())
        .unwrap();
    let delegating = TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit: 100_000,
        max_fee_per_gas: FEE_CAP_WEI,
        max_priority_fee_per_gas: 1,
        to: authority.address(),
        authorization_list: vec![authorization.into_signed(signature)],
        ..TxEip7702::default()
    };
    put(&mut sent, 3, delegating, true);
    for (from, code, succeeds) in [(4, CREATION, true), (5, REVERT, false)] {
        let mut creation = template(0);
        creation.to = TxKind::Create;
        creation.value = U256::ZERO;
        creation.gas_limit = 200_000;
        creation.input = Bytes::from_static(code);
        let (raw, hash) = sign(&account(from), creation);
        sent.insert(hash, (raw, succeeds));
    }
    sent
}

/// Reads a frame as op-alloy does and fails where anything in it was not understood.
fn read(frame: &Value) -> OpFlashblockPayload {
    let payload: OpFlashblockPayload = serde_json::from_value(frame.clone())
        .unwrap_or_else(|error| panic!("op-alloy cannot read {frame}: {error}"));
    let again = serde_json::to_value(&payload).unwrap();
    assert_eq!(&again, frame, "op-alloy loses or changes something");
    payload
}

/// Checks each transaction against its receipt; returns the types that were there.
fn judge(payload: &OpFlashblockPayload, sent: &mut Sent) -> BTreeSet<u8> {
    let mut types = BTreeSet::new();
    let receipts = serde_json::to_value(&payload.metadata.receipts).unwrap();
    let hashes: BTreeSet<String> = payload
        .diff
        .transactions
        .iter()
        .map(|raw| {
            let tx = OpTxEnvelope::decode_2718_exact(raw).unwrap();
            let hash = tx.tx_hash();
            assert_eq!(tx.encoded_2718(), raw.as_ref());
            let receipt = &receipts[hash.to_string()];
            assert_eq!(quantity(&receipt["type"]), tx.tx_type() as u64);
            if let Some((bytes, succeeds)) = sent.remove(&hash) {
                assert_eq!(&bytes, raw);
                assert_eq!(quantity(&receipt["status"]), u64::from(succeeds));
            }
            types.insert(tx.tx_type() as u8);
            hash.to_string()
        })
        .collect();
    let keys: BTreeSet<String> = receipts.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, hashes, "one receipt for each transaction");
    types
}

async fn every_frame_is_read_under(fork: &str) {
    let node = Blockwright::start(&["dev", "--block-time", "1s", "--fork", fork]);
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let mut sent = one_of_each();
    for (raw, _) in sent.values() {
        rpc.call("eth_sendRawTransaction", json!([raw])).await;
    }
    let mut types = BTreeSet::new();
    let mut bases = 0;
    // All that was sent, and a whole block's frames after it.
    let mut blocks_after = 0;
    while blocks_after < 2 {
        let payload = read(&stream.next().await);
        assert_eq!(payload.base.is_some(), payload.index == 0);
        bases += u64::from(payload.base.is_some());
        types.append(&mut judge(&payload, &mut sent));
        if sent.is_empty() && payload.index == 0 {
            blocks_after += 1;
        }
    }
    assert_eq!(types, BTreeSet::from([0, 1, 2, 4, 0x7e]));
    assert!(bases >= 2);
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn op_alloy_reads_every_frame_of_isthmus() {
    every_frame_is_read_under("isthmus").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn op_alloy_reads_every_frame_of_jovian() {
    every_frame_is_read_under("jovian").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn op_alloy_reads_every_frame_of_karst() {
    every_frame_is_read_under("karst").await;
}
