//! `pending` over preconfirmed state: one snapshot behind every method.

use std::sync::Arc;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use blockwright_pending::{Ground, Growth, PendingBlock};
use blockwright_rpc::Placeholders;
use jsonrpsee::rpc_params;
use serde_json::{Value, json};

use crate::fixture::{
    Chain, INTERVAL_US, LOGGER, TOPIC, signed, signer, start, start_overlaid, transaction,
};

/// Stores 42 in slot 0, logs under topic 7, and becomes code that returns slot 0.
const INIT: &[u8] = &hex!("602a5f5560076020" "5fa1" "67" "5f545f5260205ff3" "5f5260086018f3");
const RUNTIME: &str = "0x5f545f5260205ff3";

fn creation(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        input: Bytes::from_static(INIT),
        value: U256::from(5),
        gas_limit: 300_000,
        ..transaction(nonce, TxKind::Create)
    }
}

/// A block on the head that is not sealed yet: flashblock 0 with the deposit, then one with a creation
/// and one with a call that logs.
fn preconfirm(chain: &Chain) -> Arc<PendingBlock> {
    let parts = [
        vec![signed(0, creation(0))],
        vec![signed(1, transaction(0, TxKind::Call(LOGGER)))],
    ];
    let grown = chain.preconfirmed(&parts);
    for block in &grown {
        chain.feed.publish(Arc::clone(block));
    }
    grown.last().unwrap().clone()
}

async fn at(chain: &Chain, method: &str, mut params: Vec<Value>, tag: &str) -> Value {
    params.push(json!(tag));
    let mut array = jsonrpsee::core::params::ArrayParams::new();
    for param in params {
        array.insert(param).unwrap();
    }
    chain.ask(method, array).await
}

#[tokio::test]
async fn every_method_answers_from_the_same_block() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let before = at(&chain, "eth_getBlockByNumber", vec![], "latest").await;
    let pending = preconfirm(&chain);
    let sender = signer(0).address();
    let contract = sender.create(0);
    let number = "0x1";
    let read = async |tag: &str| {
        let call = json!({"to": contract});
        json!([
            at(&chain, "eth_getBalance", vec![json!(contract)], tag).await,
            at(&chain, "eth_getTransactionCount", vec![json!(sender)], tag).await,
            at(&chain, "eth_getCode", vec![json!(contract)], tag).await,
            at(
                &chain,
                "eth_getStorageAt",
                vec![json!(contract), json!("0x0")],
                tag
            )
            .await,
            at(&chain, "eth_call", vec![call], tag).await,
        ])
    };
    let word = B256::from(U256::from(42));
    let expected = json!(["0x5", "0x1", RUNTIME, word, word]);
    assert_eq!(read("pending").await, expected);
    assert_eq!(
        read("latest").await,
        json!(["0x0", "0x0", "0x", B256::ZERO, "0x"])
    );
    let gas = at(
        &chain,
        "eth_estimateGas",
        vec![json!({"to": contract})],
        "pending",
    )
    .await;
    assert_ne!(gas, "0x5208", "the code is there");

    let block = chain
        .ask("eth_getBlockByNumber", rpc_params!["pending", true])
        .await;
    assert_eq!(block["number"], number);
    assert_eq!(
        (&block["hash"], &block["nonce"]),
        (&Value::Null, &Value::Null)
    );
    assert!(block.as_object().unwrap().contains_key("hash"));
    assert_eq!(block["parentHash"], before["hash"]);
    assert_eq!(block["stateRoot"], json!(pending.block.header.state_root));
    let full = block["transactions"].as_array().unwrap();
    assert_eq!(full.len(), 3);
    let receipts = at(&chain, "eth_getBlockReceipts", vec![], "pending").await;
    for (index, tx) in full.iter().enumerate() {
        assert_eq!(tx["blockHash"], Value::Null);
        assert_eq!(tx["blockNumber"], number);
        assert_eq!(tx["transactionIndex"], format!("0x{index:x}"));
        let hash = rpc_params![&tx["hash"]];
        let alone = chain.ask("eth_getTransactionByHash", hash.clone()).await;
        assert_eq!(alone, *tx);
        let place = rpc_params!["pending", format!("0x{index:x}")];
        let placed = chain.ask("eth_getTransactionByBlockNumberAndIndex", place);
        assert_eq!(placed.await, *tx);
        let receipt = chain.ask("eth_getTransactionReceipt", hash.clone()).await;
        assert_eq!(receipt, receipts[index]);
        assert_eq!(receipt["blockHash"], json!(B256::ZERO));
        assert_eq!(receipt["blockNumber"], number);
        let raw = chain.ask("eth_getRawTransactionByHash", hash).await;
        let encoded = &pending.block.transactions().nth(index).unwrap().encoded;
        assert_eq!(raw, json!(encoded));
    }
    assert_eq!(receipts[1]["contractAddress"], json!(contract));
    let count = at(
        &chain,
        "eth_getBlockTransactionCountByNumber",
        vec![],
        "pending",
    )
    .await;
    assert_eq!(count, "0x3");
    let uncles = at(&chain, "eth_getUncleCountByBlockNumber", vec![], "pending").await;
    assert_eq!(uncles, "0x0");
    logs_agree(&chain, &receipts).await;
    // What does not name `pending` is as before.
    let after = at(&chain, "eth_getBlockByNumber", vec![], "latest").await;
    assert_eq!(after, before);
    assert_eq!(chain.ask("eth_blockNumber", rpc_params![]).await, "0x0");
    let by_number = chain.ask("eth_getBlockByNumber", rpc_params![number, false]);
    assert_eq!(by_number.await, Value::Null);
}

/// Logs over the ranges that reach into pending are those of the receipts.
async fn logs_agree(chain: &Chain, receipts: &Value) {
    let logs = async |filter: Value| chain.ask("eth_getLogs", rpc_params![filter]).await;
    let topic = json!([TOPIC]);
    for range in [
        ("pending", "pending"),
        ("0x0", "pending"),
        ("latest", "pending"),
    ] {
        let filter = json!({"fromBlock": range.0, "toBlock": range.1, "topics": topic});
        let found = logs(filter).await;
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), 2, "{range:?}");
        for (log, receipt) in found.iter().zip([&receipts[1], &receipts[2]]) {
            assert_eq!(*log, receipt["logs"][0]);
            assert_eq!(log["blockHash"], json!(B256::ZERO));
        }
        assert_eq!(found[1]["logIndex"], "0x1");
    }
    let settled = json!({"fromBlock": "0x0", "toBlock": "latest", "topics": topic});
    assert_eq!(logs(settled).await, json!([]));
    let one = json!({"fromBlock": "pending", "toBlock": "pending", "address": LOGGER});
    assert_eq!(logs(one).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_specifications_placeholders() {
    let chain = start_overlaid(Placeholders::Spec).await;
    let pending = preconfirm(&chain);
    let block = chain
        .ask("eth_getBlockByNumber", rpc_params!["pending", true])
        .await;
    assert_eq!(block["hash"], json!(B256::ZERO));
    assert_eq!(block["nonce"], "0x0000000000000002");
    let hash = rpc_params![&block["transactions"][1]["hash"]];
    let receipt = chain.ask("eth_getTransactionReceipt", hash.clone()).await;
    assert_eq!(receipt["blockHash"], json!(B256::ZERO));
    let tx = chain.ask("eth_getTransactionByHash", hash).await;
    // The one the block had when this transaction came, which is not the newest.
    assert_eq!(tx["blockHash"], json!(pending.hash_when_preconfirmed(1)));
    assert_ne!(tx["blockHash"], json!(pending.block.hash));
    assert_eq!(
        block["transactions"][2]["blockHash"],
        json!(pending.block.hash)
    );
    let filter = json!({"fromBlock": "pending", "toBlock": "pending"});
    let logs = chain.ask("eth_getLogs", rpc_params![filter]).await;
    assert_eq!(logs[0]["blockHash"], json!(B256::ZERO));
}

/// Everything that may differ between `pending` and `latest`.
async fn answers(chain: &Chain, tag: &str) -> Value {
    let sender = signer(0).address();
    json!([
        chain
            .ask("eth_getBlockByNumber", rpc_params![tag, true])
            .await,
        at(chain, "eth_getBlockReceipts", vec![], tag).await,
        at(chain, "eth_getTransactionCount", vec![json!(sender)], tag).await,
        at(chain, "eth_getBalance", vec![json!(sender)], tag).await,
        at(chain, "eth_call", vec![json!({"to": LOGGER})], tag).await,
        at(chain, "eth_estimateGas", vec![json!({"to": LOGGER})], tag).await,
        chain
            .ask(
                "eth_getLogs",
                rpc_params![json!({"fromBlock": tag, "toBlock": tag})]
            )
            .await,
        chain
            .ask("eth_feeHistory", rpc_params!["0x1", tag, [50.0]])
            .await,
    ])
}

#[tokio::test]
async fn without_live_flashblocks_pending_is_latest() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let latest = answers(&chain, "latest").await;
    assert_eq!(answers(&chain, "pending").await, latest);
    let pending = preconfirm(&chain);
    assert_ne!(answers(&chain, "pending").await, latest);
    chain.clock.tick(2 * INTERVAL_US + 1);
    assert_eq!(answers(&chain, "pending").await, latest);
    let hash = pending.block.transactions().nth(1).unwrap().hash;
    let receipt = chain
        .ask("eth_getTransactionReceipt", rpc_params![hash])
        .await;
    assert_eq!(receipt, Value::Null, "stale state is not served");
    // The same flashblocks, live again, until the head moves another way.
    chain.feed.publish(pending);
    assert_ne!(answers(&chain, "pending").await, latest);
    chain.advance(&[]);
    let latest = answers(&chain, "latest").await;
    assert_eq!(answers(&chain, "pending").await, latest);
}

#[tokio::test]
async fn the_block_that_becomes_the_head_is_what_was_preconfirmed() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let pending = preconfirm(&chain);
    let before = answers(&chain, "pending").await;
    let txs: Vec<_> = pending.block.transactions().skip(1).cloned().collect();
    let sealed = chain.advance(&txs);
    assert_eq!(sealed.hash, pending.block.hash);
    let after = answers(&chain, "latest").await;
    assert_eq!(answers(&chain, "pending").await, after);
    assert_eq!(unhashed(before), unhashed(after));
}

/// Without what has placeholders, and without fee history, which follows the head.
fn unhashed(mut answers: Value) -> Value {
    fn clear(value: &mut Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(clear),
            Value::Object(fields) => {
                fields.remove("blockHash");
                fields.values_mut().for_each(clear);
            }
            _ => {}
        }
    }
    let block = answers[0].as_object_mut().unwrap();
    block.remove("hash");
    block.remove("nonce");
    answers.as_array_mut().unwrap().pop();
    clear(&mut answers);
    answers
}

#[tokio::test]
async fn a_pending_nonce_counts_flashblocks_and_the_pool() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let pending = preconfirm(&chain);
    let sender = signer(0).address();
    let nonce = async || {
        at(
            &chain,
            "eth_getTransactionCount",
            vec![json!(sender)],
            "pending",
        )
        .await
    };
    assert_eq!(nonce().await, "0x1");
    let mut hashes = Vec::new();
    let first = pending.block.transactions().nth(1).unwrap().encoded.clone();
    let second = signed(0, transaction(1, TxKind::Call(Address::ZERO)));
    for encoded in [first, second.encoded.clone()] {
        hashes.push(
            chain
                .ask("eth_sendRawTransaction", rpc_params![encoded])
                .await,
        );
    }
    assert_eq!(nonce().await, "0x2");
    let pooled = chain
        .ask("eth_getTransactionByHash", rpc_params![&hashes[1]])
        .await;
    assert_eq!(pooled["blockNumber"], Value::Null, "it is in no flashblock");
}

#[tokio::test]
async fn a_follower_may_be_two_blocks_ahead() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let parent = preconfirm(&chain);
    // The parent is imported elsewhere: its child is built as if it were here.
    let txs: Vec<_> = parent.block.transactions().skip(1).cloned().collect();
    let imported = chain.build(&chain.head(), 2, &txs);
    let part = vec![signed(1, transaction(1, TxKind::Call(LOGGER)))];
    let grown = chain.preconfirmed_on(&imported, &[part]);
    let growth = |block: &PendingBlock| Growth {
        header: block.block.header.clone(),
        hash: block.block.hash,
        part: Arc::clone(block.newest_part()),
    };
    let ground = Ground::Preconfirmed(Arc::clone(&parent));
    let (id, context) = (grown[0].payload_id, grown[0].context.clone());
    let child = PendingBlock::first(id, context, ground, growth(&grown[0]));
    chain.feed.publish(Arc::new(child.grown(growth(&grown[1]))));

    let block = at(&chain, "eth_getBlockByNumber", vec![], "pending").await;
    assert_eq!(block["number"], "0x2");
    let of_parent = parent.block.transactions().nth(2).unwrap().hash;
    let receipt = chain
        .ask("eth_getTransactionReceipt", rpc_params![of_parent])
        .await;
    assert_eq!(
        (&receipt["blockNumber"], &receipt["blockHash"]),
        (&json!("0x1"), &json!(B256::ZERO))
    );
    let numbers = async |from: &str| -> Vec<Value> {
        let filter = json!({"fromBlock": from, "toBlock": "pending", "address": LOGGER});
        let logs = chain.ask("eth_getLogs", rpc_params![filter]).await;
        let logs = logs.as_array().unwrap().iter();
        logs.map(|log| log["blockNumber"].clone()).collect()
    };
    assert_eq!(numbers("0x0").await, ["0x1", "0x2"]);
    assert_eq!(numbers("pending").await, ["0x2"]);
    let balance = vec![json!(signer(0).address().create(0))];
    assert_eq!(
        at(&chain, "eth_getBalance", balance, "pending").await,
        "0x5"
    );
    // Once it is the head, its own hash is known.
    chain.adopt(&imported);
    let receipt = chain
        .ask("eth_getTransactionReceipt", rpc_params![of_parent])
        .await;
    assert_eq!(receipt["blockHash"], json!(imported.hash));
    assert_eq!(numbers("0x0").await, ["0x1", "0x2"]);
}

#[tokio::test]
async fn capabilities_say_whether_the_overlay_is_on() {
    let on = start_overlaid(Placeholders::Standard).await;
    let answer = on.ask("op_supportedCapabilities", rpc_params![]).await;
    assert_eq!(answer, json!(["flashblocksv1"]));
    let off = start().await;
    let answer = off.ask("op_supportedCapabilities", rpc_params![]).await;
    assert_eq!(answer, json!([]));
    assert_eq!(
        off.ask("eth_getBlockByNumber", rpc_params!["pending", false])
            .await,
        off.ask("eth_getBlockByNumber", rpc_params!["latest", false])
            .await
    );
}

/// What is asked with the `blockHash` of a receipt that is preconfirmed.
#[tokio::test]
async fn the_zero_hash_names_the_state_of_the_block_being_built() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let contract = signer(0).address().create(0);
    let named = json!({"blockHash": B256::ZERO});
    let code = async || -> Value {
        let params = rpc_params![contract, &named];
        chain.ask("eth_getCode", params).await
    };
    assert_eq!(
        code().await,
        json!("0x"),
        "as for latest where there is none"
    );
    preconfirm(&chain);
    assert_eq!(code().await, json!(RUNTIME));
    let filter = json!({"blockHash": B256::ZERO, "address": LOGGER});
    let logs: Value = chain.ask("eth_getLogs", rpc_params![filter]).await;
    assert_eq!(logs.as_array().unwrap().len(), 1);
    // No block has this hash, and it is the parent of the genesis block.
    let block: Value = chain
        .ask("eth_getBlockByHash", rpc_params![B256::ZERO, false])
        .await;
    assert_eq!(block, Value::Null);
    let canonical = json!({"blockHash": B256::ZERO, "requireCanonical": true});
    let refused = chain.refused("eth_getCode", rpc_params![contract, canonical]);
    assert!(refused.await.message().contains("unknown"));
    let filter = json!({"fromBlock": "pending", "address": LOGGER});
    let logs: Value = chain.ask("eth_getLogs", rpc_params![filter]).await;
    assert_eq!(logs.as_array().unwrap().len(), 1);
}
