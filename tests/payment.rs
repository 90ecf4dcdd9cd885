//! What a builder pays for its blocks, on a running chain.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use alloy_primitives::{Address, address, hex};
use blockwright_launch::dev_accounts;
use serde_json::{Value, json};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::tx::transfer;

const PAYER: usize = 7;
const RECIPIENT: Address = Address::repeat_byte(0x51);

fn start(recipient: Address, more: &[&str]) -> Blockwright {
    let key = hex::encode(dev_accounts()[PAYER].signer.to_bytes());
    let recipient = recipient.to_string();
    let args = [
        "dev",
        "--block-time",
        "1s",
        "--builder.payment-key-hex",
        &key,
        "--builder.payment-recipient",
        &recipient,
    ];
    Blockwright::start(&[&args, more].concat())
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
    let node = start(RECIPIENT, &["--builder.payment-share", "50"]);
    let rpc = Rpc::new(&node.endpoints.http);
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
    let node = start(bridge, &["--builder.payment-gas", "21000"]);
    let rpc = Rpc::new(&node.endpoints.http);
    let block = sealed(&rpc, 0).await;
    assert!(fees(&rpc, &block).await > 0);
    assert_eq!(block["transactions"].as_array().unwrap().len(), 2);
    assert!(node.metric("blockwright_payment_total", &["refused"]) > 0.0);
}
