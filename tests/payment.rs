//! What a builder pays for its blocks, on a running chain.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use alloy_consensus::Transaction as _;
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{Address, Bytes, U256, address, hex};
use blockwright_builder_rpc::Method;
use blockwright_launch::dev_accounts;
use blockwright_signer::BlsSigner as _;
use op_alloy_consensus::OpTxEnvelope;
use serde_json::{Value, json};
use support::bls::{key, registration};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::transfer;

const PAYER: usize = 7;
const RECIPIENT: Address = Address::repeat_byte(0x51);

/// A chain on which key 2 may register.
fn start(block_time: &str, more: &[&str]) -> Blockwright {
    let payer = hex::encode(dev_accounts()[PAYER].signer.to_bytes());
    let proposer = key(2).public_key().to_string();
    let args = [
        "dev",
        "--block-time",
        block_time,
        "--builder.payment-key-hex",
        &payer,
        "--builder-api.proposer-bls",
        &proposer,
    ];
    Blockwright::start(&[&args, more].concat())
}

fn start_fixed(recipient: Address, more: &[&str]) -> Blockwright {
    let recipient = recipient.to_string();
    let fixed = ["--builder.payment-recipient", &recipient];
    start("1s", &[&fixed, more].concat())
}

async fn register(rpc: &Rpc, fee_recipient: Address) {
    let params = registration(&key(2), fee_recipient);
    rpc.call(Method::SetFeeRecipient.name(), params).await;
}

async fn block(rpc: &Rpc, number: u64) -> Value {
    let number = format!("{number:#x}");
    let params = json!([number, true]);
    rpc.call("eth_getBlockByNumber", params).await
}

/// Wei of priority fees that the block's transactions pay.
async fn fees(rpc: &Rpc, block: &Value) -> u64 {
    let base_fee = quantity(&block["baseFeePerGas"]);
    let receipts = rpc
        .call("eth_getBlockReceipts", json!([block["number"]]))
        .await;
    let of_users = receipts
        .as_array()
        .unwrap()
        .iter()
        .filter(|receipt| quantity(&receipt["type"]) != 0x7e);
    of_users
        .map(|receipt| {
            let tip = quantity(&receipt["effectiveGasPrice"]) - base_fee;
            tip * quantity(&receipt["gasUsed"])
        })
        .sum()
}

/// Sends a transfer from account 1 and waits for its block.
async fn sealed(rpc: &Rpc, nonce: u64) -> Value {
    let (raw, _) = transfer(1, nonce);
    let hash = rpc.call("eth_sendRawTransaction", json!([raw])).await;
    let hash = hash.as_str().unwrap();
    let number = loop {
        let receipt = rpc.receipt(hash, Duration::from_secs(20)).await;
        let number = quantity(&receipt["blockNumber"]);
        if rpc.number("eth_blockNumber", json!([])).await >= number {
            break number;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    block(rpc, number).await
}

fn payments(block: &Value) -> Vec<(usize, u64)> {
    let payer = dev_accounts()[PAYER].signer.address().to_string();
    let transactions = block["transactions"].as_array().unwrap();
    let of_payer = transactions.iter().enumerate().filter(|(_, tx)| {
        let from = tx["from"].as_str().unwrap();
        from.eq_ignore_ascii_case(&payer)
    });
    of_payer
        .map(|(index, tx)| {
            let to: Address = serde_json::from_value(tx["to"].clone()).unwrap();
            assert_eq!(to, RECIPIENT);
            (index, quantity(&tx["value"]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_transaction_pays_the_recipient_its_share() {
    let node = start_fixed(RECIPIENT, &["--builder.payment-share", "50"]);
    let rpc = Rpc::new(&node.endpoints.http);
    // A fixed recipient is paid whoever is registered.
    register(&rpc, Address::repeat_byte(0x52)).await;
    let mut paid = 0;
    for nonce in 0..2 {
        let block = sealed(&rpc, nonce).await;
        let count = block["transactions"].as_array().unwrap().len();
        let share = fees(&rpc, &block).await / 2;
        assert!(share > 0);
        assert_eq!(payments(&block), [(count - 1, share)]);
        paid += share;
        let params = json!([RECIPIENT, block["number"]]);
        assert_eq!(rpc.number("eth_getBalance", params).await, paid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_would_fail_costs_the_payment_alone() {
    // Far too little for a recipient with code, which a predeploy has.
    let bridge = address!("4200000000000000000000000000000000000010");
    let node = start_fixed(bridge, &["--builder.payment-gas", "21000"]);
    let rpc = Rpc::new(&node.endpoints.http);
    let block = sealed(&rpc, 0).await;
    assert!(fees(&rpc, &block).await > 0);
    assert_eq!(block["transactions"].as_array().unwrap().len(), 2);
    assert!(node.metric("blockwright_payment_total", &["refused"]) > 0.0);
}

/// What the flashblock's transactions bring the recipient.
fn brought(flashblock: &Value) -> Option<U256> {
    let transactions = flashblock["diff"]["transactions"].as_array().unwrap();
    transactions.iter().find_map(|raw| {
        let raw: Bytes = serde_json::from_value(raw.clone()).unwrap();
        let tx = OpTxEnvelope::decode_2718_exact(&raw).unwrap();
        (tx.to() == Some(RECIPIENT)).then(|| tx.value())
    })
}

/// A flashblock at index 0 that is not the first this subscriber sees: the block's beginning.
async fn next_block(stream: &mut Subscriber) -> Value {
    loop {
        let flashblock = stream.next().await;
        if flashblock["index"] == 0 {
            return flashblock;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_registered_is_paid_what_the_header_promises() {
    // The payment is in the last flashblock, which must not come too late on a busy machine.
    let node = start("3s", &["--flashblocks.end-margin", "600ms"]);
    let rpc = Rpc::new(&node.endpoints.http);
    // Nobody is registered: that is no error, and nothing is paid.
    let unpaid = sealed(&rpc, 0).await;
    assert!(fees(&rpc, &unpaid).await > 0);
    assert_eq!(payments(&unpaid), []);

    register(&rpc, Address::repeat_byte(0x52)).await;
    register(&rpc, RECIPIENT).await;
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    next_block(&mut stream).await;
    let first = next_block(&mut stream).await;
    let (raw, hash) = transfer(1, 1);
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
    let amount = loop {
        let flashblock = stream.next().await;
        assert_eq!(flashblock["payload_id"], first["payload_id"]);
        if let Some(amount) = brought(&flashblock) {
            break amount;
        }
    };
    let parent = json!([first["base"]["parent_hash"]]);
    let answer = rpc.call(Method::GetBlindPayload.name(), parent).await;
    let value: U256 = serde_json::from_value(answer["value"].clone()).unwrap();
    assert!(value > U256::ZERO);
    assert_eq!(value, amount);

    // The chain goes on with what was promised.
    let receipt = rpc
        .receipt(&hash.to_string(), Duration::from_secs(20))
        .await;
    let block = block(&rpc, quantity(&receipt["blockNumber"])).await;
    assert_eq!(block["hash"], answer["payload"]["blockHash"]);
    let count = block["transactions"].as_array().unwrap().len();
    let share = fees(&rpc, &block).await;
    assert_eq!(payments(&block), [(count - 1, share)]);
    assert_eq!(U256::from(share), amount);
    let balance = json!([RECIPIENT, block["number"]]);
    assert_eq!(rpc.number("eth_getBalance", balance).await, share);
}
