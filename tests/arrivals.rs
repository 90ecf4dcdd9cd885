//! What arrives while a block is built, on whatever host: better-paying transactions, replacements, nonces out of
//! order.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, TxKind};
use op_alloy_consensus::TxDeposit;
use serde_json::{Value, json};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::sequencer::{Engine, attributes, now_ms};
use support::stream::Subscriber;
use support::tx::{account, sign, template, transfer};

const PATIENCE: Duration = Duration::from_secs(20);

/// Time for all that a test does within one block.
fn start() -> Blockwright {
    Blockwright::start(&["dev", "--block-time", "4s"])
}

/// A transfer that pays `tip` wei a gas above the base fee.
fn paying(from: usize, nonce: u64, tip: u128) -> (Bytes, B256) {
    let mut tx = template(nonce);
    tx.max_priority_fee_per_gas = tip;
    sign(&account(from), tx)
}

async fn send(rpc: &Rpc, raw: &Bytes) {
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
}

/// A flashblock soon after a block's beginning.
async fn begun_block(stream: &mut Subscriber) -> Value {
    loop {
        let flashblock = stream.next().await;
        if flashblock["index"] == 1 {
            return flashblock;
        }
    }
}

fn place(flashblock: &Value, raw: &Bytes) -> usize {
    let transactions = flashblock["diff"]["transactions"].as_array().unwrap();
    let wanted = json!(raw);
    transactions.iter().position(|tx| *tx == wanted).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_late_and_pays_better_is_in_the_next_flashblock_and_first() {
    let node = start();
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let begun = begun_block(&mut stream).await;
    let index = |flashblock: &Value| flashblock["index"].as_u64().unwrap();

    let (first, hash) = paying(1, 0, 1_000_000);
    send(&rpc, &first).await;
    let with_first = stream.flashblock_with(&hash.to_string()).await;
    assert_eq!(index(&with_first), index(&begun) + 1);
    // Each pays more than everything before it, right after the flashblock with that.
    let mut last = with_first;
    for (from, tip) in [(2, 2_000_000), (3, 3_000_000), (4, 4_000_000)] {
        let (raw, hash) = paying(from, 0, tip);
        send(&rpc, &raw).await;
        let with_it = stream.flashblock_with(&hash.to_string()).await;
        assert_eq!(with_it["payload_id"], begun["payload_id"]);
        assert_eq!(index(&with_it), index(&last) + 1);
        last = with_it;
    }
    // The same three at once, the worst first.
    let three = [(2, 1_000_000_u128), (3, 2_000_000), (4, 3_000_000)]
        .map(|(from, tip)| paying(from, 1, tip));
    for (raw, _) in &three {
        send(&rpc, raw).await;
    }
    let with_them = stream.flashblock_with(&three[0].1.to_string()).await;
    let places = [0, 1, 2].map(|number: usize| place(&with_them, &three[number].0));
    assert!(places[2] < places[1] && places[1] < places[0], "{places:?}");
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_whose_transaction_does_not_fit_is_not_barred() {
    let node = start();
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let begun = begun_block(&mut stream).await;
    // Below the base fee, so that it cannot be executed now.
    let mut cheap = template(0);
    (cheap.max_fee_per_gas, cheap.max_priority_fee_per_gas) = (1_000, 1_000);
    let (cheap, cheap_hash) = sign(&account(5), cheap);
    send(&rpc, &cheap).await;
    let (other, other_hash) = transfer(6, 0);
    send(&rpc, &other).await;
    let passed = stream.flashblock_with(&other_hash.to_string()).await;
    let cheap_hash = cheap_hash.to_string();
    assert!(passed["metadata"]["receipts"][&cheap_hash].is_null());
    // The same nonce again, and the one behind it.
    let (better, better_hash) = transfer(5, 0);
    send(&rpc, &better).await;
    let (next, next_hash) = transfer(5, 1);
    send(&rpc, &next).await;
    let with_both = stream.flashblock_with(&next_hash.to_string()).await;
    assert_eq!(with_both["payload_id"], begun["payload_id"]);
    assert_eq!(
        with_both["index"].as_u64(),
        passed["index"].as_u64().map(|index| index + 1)
    );
    assert!(!with_both["metadata"]["receipts"][better_hash.to_string()].is_null());
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_that_arrive_backwards_are_all_built_in_order() {
    const SENDERS: usize = 8;
    const EACH: u64 = 16;
    let node = start();
    let rpc = Rpc::new(&node.endpoints.http);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    begun_block(&mut stream).await;
    let mut sent = Vec::new();
    for nonce in (0..EACH).rev() {
        for from in 0..SENDERS {
            let (raw, hash) = transfer(from, nonce);
            send(&rpc, &raw).await;
            sent.push(hash);
        }
    }
    let mut places = Vec::new();
    for hash in &sent {
        let receipt = rpc.receipt(&hash.to_string(), PATIENCE).await;
        assert_eq!(receipt["status"], "0x1");
        let number = |key: &str| quantity(&receipt[key]);
        places.push((number("blockNumber"), number("transactionIndex")));
    }
    for from in 0..SENDERS {
        let of_sender: Vec<_> = places.iter().skip(from).step_by(SENDERS).rev().collect();
        assert!(of_sender.is_sorted(), "{of_sender:?}");
    }
    // Nobody waited for a second block: all came well before the first one's end.
    let last = places.iter().max().unwrap().0;
    let first = places.iter().min().unwrap().0;
    assert!(last <= first + 1, "blocks {first} to {last}");
    assert!(node.stop());
}

/// A deposit counts up its sender's nonce, under the feet of what he has in the pool.
#[tokio::test(flavor = "multi_thread")]
async fn a_sender_goes_on_from_where_a_deposit_moved_his_nonce() {
    const SENDER: usize = 5;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let maker = Blockwright::start(&["dev", "--datadir", &path("dev")]);
    assert!(maker.stop());
    let genesis = path("dev/genesis.json");
    let node = Blockwright::start(&["node", "--chain", &genesis, "--datadir", &path("data")]);
    let (rpc, engine) = (Rpc::new(&node.endpoints.http), Engine::new(&node));
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let (overtaken, overtaken_hash) = transfer(SENDER, 0);
    let (next, next_hash) = transfer(SENDER, 1);
    for raw in [&overtaken, &next] {
        send(&rpc, raw).await;
    }

    let head = rpc
        .call("eth_getBlockByNumber", json!(["latest", false]))
        .await;
    let mut attributes = attributes(1, now_ms() / 1_000 + 4);
    let deposit = TxDeposit {
        from: account(SENDER).address(),
        to: TxKind::Call(Address::repeat_byte(0x44)),
        gas_limit: 100_000,
        ..TxDeposit::default()
    };
    let forced = attributes["transactions"].as_array_mut().unwrap();
    forced.push(json!(Bytes::from(deposit.encoded_2718())));
    let head = serde_json::from_value(head["hash"].clone()).unwrap();
    let id = engine.begin(head, &attributes).await;
    let with_next = stream.flashblock_with(&next_hash.to_string()).await;
    assert_eq!(with_next["payload_id"], id);
    let payload = engine.payload(&id).await;
    assert!(payload.transactions.contains(&next));
    assert!(!payload.transactions.contains(&overtaken));
    assert!(with_next["metadata"]["receipts"][overtaken_hash.to_string()].is_null());
    assert!(node.stop());
}
