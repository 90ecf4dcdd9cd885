//! Events as the living servers write them, and as they should not be.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Signature, TxKind, U256, b64, hex};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use serde_json::json;

use super::*;
use crate::sse_frame;

/// The data of an event that a living server sent.
const LIVE: &str = include_str!("../../tests/data/event.json");

/// An event with every kind of transaction and every field.
const EVERY_KIND: &str = include_str!("../../tests/data/every_kind.json");

fn live() -> Value {
    serde_json::from_str(LIVE).unwrap()
}

fn read(json: &Value) -> Result<AttributesEvent, EventError> {
    AttributesEvent::from_json(json.to_string().as_bytes())
}

fn signature() -> Signature {
    Signature::new(U256::from(7), U256::MAX >> 3, true)
}

fn access_list() -> AccessList {
    let item = AccessListItem {
        address: Address::repeat_byte(3),
        storage_keys: vec![B256::with_last_byte(1), B256::ZERO],
    };
    AccessList(vec![item])
}

/// One transaction of every kind.
fn of_every_kind() -> Vec<Bytes> {
    let input = Bytes::from_static(b"input");
    let legacy = |chain_id| TxLegacy {
        chain_id,
        nonce: 3,
        gas_price: 1 << 90,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(9)),
        value: U256::MAX,
        input: input.clone(),
    };
    let eip2930 = TxEip2930 {
        chain_id: 10,
        gas_price: 5,
        access_list: access_list(),
        ..TxEip2930::default()
    };
    let eip1559 = TxEip1559 {
        chain_id: 10,
        max_fee_per_gas: 9,
        max_priority_fee_per_gas: 2,
        to: TxKind::Create,
        input: input.clone(),
        ..TxEip1559::default()
    };
    let authorization = Authorization {
        chain_id: U256::from(10),
        address: Address::repeat_byte(4),
        nonce: 8,
    };
    let eip7702 = TxEip7702 {
        chain_id: 10,
        to: Address::repeat_byte(5),
        authorization_list: vec![authorization.into_signed(signature())],
        ..TxEip7702::default()
    };
    let deposit = |mint, to| TxDeposit {
        mint,
        to,
        is_system_transaction: mint == 0,
        gas_limit: 1_000_000,
        input: input.clone(),
        ..TxDeposit::default()
    };
    let signed = [
        OpTxEnvelope::from(legacy(None).into_signed(signature())),
        OpTxEnvelope::from(legacy(Some(10)).into_signed(signature())),
        OpTxEnvelope::from(legacy(Some(u64::MAX)).into_signed(signature())),
        OpTxEnvelope::from(eip2930.into_signed(signature())),
        OpTxEnvelope::from(eip1559.into_signed(signature())),
        OpTxEnvelope::from(eip7702.into_signed(signature())),
        OpTxEnvelope::from(deposit(1 << 100, TxKind::Create)),
        OpTxEnvelope::from(deposit(0, TxKind::Call(Address::ZERO))),
    ];
    let mut all: Vec<Bytes> = signed.iter().map(|tx| tx.encoded_2718().into()).collect();
    // Of no type that has an object.
    all.push(Bytes::from_static(b"\x55whatever"));
    all
}

fn full() -> AttributesEvent {
    AttributesEvent {
        slot: 0xbf,
        parent_hash: B256::repeat_byte(1),
        attributes: OpPayloadAttributes {
            payload_attributes: PayloadAttributes {
                timestamp: 1_795_255_412,
                prev_randao: B256::repeat_byte(2),
                suggested_fee_recipient: Address::repeat_byte(3),
                withdrawals: Some(vec![Withdrawal {
                    amount: 4,
                    ..Withdrawal::default()
                }]),
                parent_beacon_block_root: Some(B256::repeat_byte(5)),
                ..PayloadAttributes::default()
            },
            transactions: Some(of_every_kind()),
            no_tx_pool: Some(true),
            gas_limit: Some(60_000_000),
            eip_1559_params: Some(b64!("000000fa00000006")),
            min_base_fee: Some(1_000),
        },
    }
}

#[test]
fn a_living_servers_event_is_read_and_written_to_the_byte() {
    let event = AttributesEvent::from_json(LIVE.as_bytes()).unwrap();
    assert_eq!(event.slot, 2);
    assert_eq!(event.timestamp(), 0x6b01_6c38);
    let attributes = &event.attributes;
    assert_eq!(attributes.gas_limit, Some(30_000_000));
    assert_eq!(attributes.no_tx_pool, None);
    assert_eq!(attributes.payload_attributes.withdrawals, Some(vec![]));
    let txs = attributes.transactions.as_deref().unwrap();
    let hash = keccak256(&txs[0]);
    let named = live()["transactions"][0]["hash"].clone();
    assert_eq!(json!(hash), named);
    let line = LIVE.trim_end();
    assert_eq!(event.to_json(), line);
    let frame = format!("id: \ndata: {line}\n\n");
    assert_eq!(sse_frame(&event.to_json()), frame.as_bytes());
}

#[test]
fn every_kind_of_transaction_and_every_field_comes_back() {
    let event = full();
    let json = event.to_json();
    assert_eq!(json, EVERY_KIND.trim_end(), "what fuzzing begins with");
    assert_eq!(AttributesEvent::from_json(json.as_bytes()).unwrap(), event);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["noTxPool"], true);
    assert_eq!(json["eip1559Params"], "0x000000fa00000006");
    assert_eq!(json["minBaseFee"], 1_000);
    let txs = json["transactions"].as_array().unwrap();
    assert_eq!(txs[0]["v"], "0x1c");
    assert_eq!(txs[1]["v"], "0x38");
    assert_eq!(txs[2]["v"], "0x20000000000000022");
    assert_eq!(txs[3]["accessList"][0]["storageKeys"][1], json!(B256::ZERO));
    assert_eq!(txs[4]["maxFeePerGas"], "0x9");
    assert_eq!(txs[5]["authorizationList"][0]["nonce"], "0x8");
    assert_eq!(txs[8], "0x557768617465766572");
    // An older fork's event lacks what that fork does not know.
    let mut old = event;
    old.attributes.payload_attributes.withdrawals = None;
    old.attributes.payload_attributes.parent_beacon_block_root = None;
    old.attributes.no_tx_pool = None;
    old.attributes.eip_1559_params = None;
    old.attributes.min_base_fee = None;
    let json = old.to_json();
    for absent in ["withdrawals", "noTxPool", "eip1559Params", "minBaseFee"] {
        assert!(!json.contains(absent), "{absent}");
    }
    // op-nodes write this one whatever the fork.
    assert!(json.contains(r#""parentBeaconBlockRoot":null"#), "{json}");
    assert_eq!(AttributesEvent::from_json(json.as_bytes()).unwrap(), old);
}

#[test]
fn numbers_and_hex_objects_and_bytes_mean_the_same() {
    let expected = read(&live()).unwrap();
    let mut other = live();
    other["timestamp"] = json!(0x6b01_6c38);
    other["slot"] = json!("0x2");
    other["gasLimit"] = json!("0x1c9c380");
    other["noTxPool"] = json!(false);
    other["eip1559Params"] = json!(null);
    other["more"] = json!({"not": "known"});
    let tx = &mut other["transactions"][0];
    tx["type"] = json!(126);
    tx["gas"] = json!(1_000_000);
    // No mint has the bytes of a mint of nothing.
    tx.as_object_mut().unwrap().remove("mint");
    assert_eq!(read(&other).unwrap(), expected);
    let raw = &expected.attributes.transactions.as_ref().unwrap()[0];
    other["transactions"][0] = json!(raw);
    assert_eq!(read(&other).unwrap(), expected);
    assert_eq!(read(&other).unwrap().digest(), expected.digest());
    other.as_object_mut().unwrap().remove("transactions");
    assert_eq!(read(&other).unwrap().attributes.transactions, Some(vec![]));
}

#[test]
fn what_is_wrong_is_named() {
    let tx = "/transactions/0";
    let cases = [
        ("", json!([]), "the event must be an object"),
        ("/slot", json!(null), "slot is missing"),
        ("/slot", json!(-1), "slot must be a number"),
        ("/slot", json!("2"), "slot must be a number"),
        ("/timestamp", json!("0x"), "timestamp must be a number"),
        (
            "/timestamp",
            json!("0x10000000000000000"),
            "timestamp does not fit into 64 bits",
        ),
        ("/gasLimit", json!(1.5), "gasLimit must be a number"),
        ("/blockHash", json!("0x11"), "blockHash must have 32 bytes"),
        ("/blockHash", json!(null), "blockHash is missing"),
        ("/prevRandao", json!(5), "prevRandao must be hex"),
        (
            "/suggestedFeeRecipient",
            json!("me"),
            "suggestedFeeRecipient must be hex",
        ),
        ("/withdrawals", json!([1]), "withdrawals is malformed"),
        ("/transactions", json!({}), "transactions must be a list"),
        (
            "/transactions/0",
            json!(5),
            "transactions[0] must be an object",
        ),
        (
            "/transactions/0",
            json!("0xabc"),
            "transactions[0] must be hex",
        ),
        (
            "/transactions/0/type",
            json!("0x3"),
            "transactions[0].type is not a transaction type of this chain: 0x3",
        ),
        (
            "/transactions/0/type",
            json!(2),
            "transactions[0].chainId is missing",
        ),
        (
            "/transactions/0/gas",
            json!(null),
            "transactions[0].gas is missing",
        ),
        (
            "/transactions/0/mint",
            json!("0x1"),
            "transactions[0].hash does not fit its transaction",
        ),
        (
            "/transactions/0/hash",
            json!(null),
            "transactions[0].hash is missing",
        ),
        (
            "/transactions/0/hash",
            json!(B256::ZERO),
            "transactions[0].hash does not fit",
        ),
        (
            "/transactions/0/value",
            json!(format!("0x1{}", "0".repeat(64))),
            "transactions[0].value does not fit into 256 bits",
        ),
        (
            "/transactions/0/isSystemTx",
            json!("no"),
            "transactions[0].isSystemTx must be true or false",
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut event = live();
        *event.pointer_mut(pointer).unwrap() = value;
        let said = read(&event).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{pointer}: {said}");
    }
    let mut event = live();
    event.pointer_mut(tx).unwrap()["type"] = json!(0);
    event.pointer_mut(tx).unwrap()["v"] = json!(1);
    let said = read(&event).unwrap_err().to_string();
    assert!(said.starts_with("transactions[0].v is malformed"), "{said}");
    for body in ["", "{", "null", "\"x\"", "{}{}"] {
        AttributesEvent::from_json(body.as_bytes()).unwrap_err();
    }
    AttributesEvent::from_json("[".repeat(4_000).as_bytes()).unwrap_err();
}

/// Small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

#[test]
fn a_changed_event_is_refused_or_says_what_it_says() {
    let whole = full().to_json();
    let mut dice = Dice(0x5eed);
    let (mut refused, mut read) = (0, 0);
    for _ in 0..4_000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=dice.roll(3) {
            let place = dice.roll(bytes.len());
            match dice.roll(4) {
                0 => bytes[place] = b"0123456789abcdefx\"{}[],:-. nul\xff"[dice.roll(31)],
                1 => drop(bytes.remove(place)),
                2 => bytes.truncate(place.max(1)),
                _ => {
                    let piece = bytes[place..(place + 40).min(bytes.len())].to_vec();
                    bytes.splice(place..place, piece);
                }
            }
        }
        let Ok(event) = AttributesEvent::from_json(&bytes) else {
            refused += 1;
            continue;
        };
        read += 1;
        // Whatever was read can be told to others, who read the same.
        let again = AttributesEvent::from_json(event.to_json().as_bytes()).unwrap();
        assert_eq!(again, event, "{}", hex::encode(bytes));
    }
    assert!(refused > 1_000 && read > 100, "{refused} {read}");
}

#[test]
fn every_field_makes_another_content() {
    let one = full();
    let mut digests = vec![one.digest()];
    let mut with = |change: &dyn Fn(&mut AttributesEvent)| {
        let mut other = one.clone();
        change(&mut other);
        let digest = other.digest();
        assert!(!digests.contains(&digest), "{other:?}");
        digests.push(digest);
    };
    with(&|event| event.slot += 1);
    with(&|event| event.parent_hash = B256::ZERO);
    with(&|event| event.attributes.payload_attributes.timestamp += 1);
    with(&|event| event.attributes.payload_attributes.prev_randao = B256::ZERO);
    with(&|event| event.attributes.payload_attributes.suggested_fee_recipient = Address::ZERO);
    with(&|event| event.attributes.payload_attributes.withdrawals = None);
    with(&|event| event.attributes.payload_attributes.withdrawals = Some(vec![]));
    with(&|event| event.attributes.payload_attributes.parent_beacon_block_root = None);
    with(&|event| event.attributes.transactions = Some(vec![]));
    with(&|event| drop(event.attributes.transactions.as_mut().unwrap().pop()));
    with(&|event| event.attributes.no_tx_pool = None);
    with(&|event| event.attributes.gas_limit = None);
    with(&|event| event.attributes.gas_limit = Some(0));
    with(&|event| event.attributes.eip_1559_params = None);
    with(&|event| event.attributes.min_base_fee = Some(0));
    with(&|event| event.attributes.min_base_fee = None);
}
