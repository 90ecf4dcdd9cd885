//! Accounts, calls, estimates, fees, and what a node says about itself.

use alloy_primitives::{Address, B256, TxKind, U256, keccak256};
use jsonrpsee::rpc_params;
use serde_json::{Value, json};

use crate::fixture::{GETTER, LOGGER, REVERTER, signed, signer, start, transaction};

#[tokio::test]
async fn the_node_says_who_it_is() {
    let chain = start().await;
    for (method, answer) in [
        ("eth_chainId", json!("0x385")),
        ("eth_blockNumber", json!("0x0")),
        ("eth_syncing", json!(false)),
        ("net_version", json!("901")),
        ("net_listening", json!(true)),
        ("web3_clientVersion", json!("blockwright/test")),
        ("txpool_status", json!({"pending": "0x0", "queued": "0x0"})),
    ] {
        assert_eq!(chain.ask(method, rpc_params![]).await, answer, "{method}");
    }
    let hash = chain.ask("web3_sha3", rpc_params!["0x00ff"]).await;
    assert_eq!(hash, json!(keccak256([0x00, 0xff])));
    assert_eq!(
        chain
            .ask("miner_setMaxDASize", rpc_params!["0x0", "0x1fbd0"])
            .await,
        true
    );
    assert_eq!(*chain.da_limits.lock().unwrap(), Some((0, 0x1fbd0)));
}

#[tokio::test]
async fn accounts_are_read_at_any_held_block() {
    let chain = start().await;
    let sender = signer(0).address();
    let receiver = Address::repeat_byte(0xaa);
    let mut transfer = transaction(0, TxKind::Call(receiver));
    transfer.value = U256::from(5);
    chain.advance(&[signed(0, transfer)]);
    assert_eq!(
        chain
            .ask("eth_getBalance", rpc_params![receiver, "latest"])
            .await,
        "0x5"
    );
    assert_eq!(
        chain.ask("eth_getBalance", rpc_params![receiver]).await,
        "0x5"
    );
    assert_eq!(
        chain
            .ask("eth_getBalance", rpc_params![receiver, "0x0"])
            .await,
        "0x0"
    );
    let canonical = json!({"blockHash": chain.head().hash, "requireCanonical": true});
    assert_eq!(
        chain
            .ask("eth_getBalance", rpc_params![receiver, canonical])
            .await,
        "0x5"
    );
    assert_eq!(
        chain
            .ask("eth_getTransactionCount", rpc_params![sender, "latest"])
            .await,
        "0x1"
    );
    assert_eq!(
        chain
            .ask("eth_getTransactionCount", rpc_params![sender, "0x0"])
            .await,
        "0x0"
    );
    assert_eq!(
        chain
            .ask("eth_getCode", rpc_params![GETTER, "latest"])
            .await,
        "0x602a60005260206000f3"
    );
    assert_eq!(
        chain
            .ask("eth_getCode", rpc_params![receiver, "latest"])
            .await,
        "0x"
    );
    for slot in [json!("0x3"), json!(B256::with_last_byte(3))] {
        let value = chain
            .ask("eth_getStorageAt", rpc_params![GETTER, slot, "latest"])
            .await;
        assert_eq!(value, json!(B256::with_last_byte(9)));
    }
    let unknown = chain
        .refused("eth_getBalance", rpc_params![receiver, "0x77"])
        .await;
    assert_eq!(unknown.code(), -32_000);
    assert!(unknown.message().contains("header not found"), "{unknown}");
}

#[tokio::test]
async fn calls_return_revert_and_fail_with_their_reason() {
    let chain = start().await;
    let answer = chain
        .ask("eth_call", rpc_params![json!({"to": GETTER}), "latest"])
        .await;
    assert_eq!(answer, json!(B256::with_last_byte(42)));

    let revert = chain
        .refused("eth_call", rpc_params![json!({"to": REVERTER})])
        .await;
    assert_eq!(revert.code(), 3);
    assert_eq!(revert.message(), "execution reverted: nope");
    assert!(revert.data().unwrap().get().starts_with("\"0x08c379a0"));
    let estimate = chain
        .refused("eth_estimateGas", rpc_params![json!({"to": REVERTER})])
        .await;
    assert_eq!(estimate.code(), 3);

    let override_code = json!({GETTER.to_string(): {"code": "0x600760005260206000f3"}});
    let overridden = chain
        .ask(
            "eth_call",
            rpc_params![json!({"to": GETTER}), "latest", override_code],
        )
        .await;
    assert_eq!(overridden, json!(B256::with_last_byte(7)));

    let poor = json!({"from": Address::repeat_byte(0xbb), "to": GETTER, "value": "0x1"});
    let error = chain.refused("eth_call", rpc_params![poor]).await;
    assert_eq!(error.code(), -32_000);
    assert!(
        error
            .message()
            .starts_with("insufficient funds for gas * price + value"),
        "{error}"
    );
}

#[tokio::test]
async fn malformed_messages_are_refused_by_field() {
    let chain = start().await;
    for (message, field) in [
        (
            json!({"to": GETTER, "data": "0x01", "input": "0x02"}),
            "input",
        ),
        (json!({"to": GETTER, "chainId": "0x1"}), "chainId"),
        (
            json!({"to": GETTER, "gasPrice": "0x1", "maxFeePerGas": "0x1"}),
            "gasPrice",
        ),
        (
            json!({"to": GETTER, "maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"}),
            "maxPriorityFeePerGas",
        ),
        (json!({"to": "0x12"}), "transaction"),
    ] {
        let error = chain.refused("eth_call", rpc_params![message]).await;
        assert_eq!(error.code(), -32_602);
        assert!(error.message().contains(field), "{error}");
    }
    let error = chain
        .refused("eth_getBalance", rpc_params!["0x12", "latest"])
        .await;
    assert_eq!(error.code(), -32_602);
    assert!(error.message().contains("address"), "{error}");
    let error = chain.refused("eth_getBalance", rpc_params![]).await;
    assert!(
        error.message().contains("address: missing value"),
        "{error}"
    );
    let error = chain
        .refused("eth_getBalance", rpc_params![GETTER, "lateest"])
        .await;
    assert!(error.message().contains("block"), "{error}");
}

#[tokio::test]
async fn estimates_are_enough_and_not_much_more() {
    let chain = start().await;
    let sender = signer(0).address();
    let transfer = json!({"from": sender, "to": signer(1).address(), "value": "0x1"});
    assert_eq!(
        chain.ask("eth_estimateGas", rpc_params![transfer]).await,
        "0x5208"
    );
    let call = json!({"from": sender, "to": LOGGER});
    let gas: U256 =
        serde_json::from_value(chain.ask("eth_estimateGas", rpc_params![call]).await).unwrap();
    let mut tx = transaction(0, TxKind::Call(LOGGER));
    tx.gas_limit = gas.to();
    chain.advance(&[signed(0, tx)]);
    let receipts = chain
        .ask("eth_getBlockReceipts", rpc_params!["latest"])
        .await;
    assert_eq!(receipts[1]["status"], "0x1");
    let used: U256 = serde_json::from_value(receipts[1]["gasUsed"].clone()).unwrap();
    assert!(
        gas <= used + used / U256::from(20),
        "estimate {gas}, used {used}"
    );
}

#[tokio::test]
async fn fees_follow_the_blocks() {
    let chain = start().await;
    let empty = chain.ask("eth_maxPriorityFeePerGas", rpc_params![]).await;
    assert_eq!(empty, "0xf4240");
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let first = chain.advance(&[tx]);
    let second = chain.advance(&[]);
    let history = chain
        .ask("eth_feeHistory", rpc_params!["0x2", "latest", [10.0, 90.0]])
        .await;
    assert_eq!(history["oldestBlock"], "0x1");
    let fees = history["baseFeePerGas"].as_array().unwrap();
    assert_eq!(fees.len(), 3);
    assert_eq!(
        fees[0],
        json!(U256::from(first.header.base_fee_per_gas.unwrap()))
    );
    assert_eq!(
        fees[1],
        json!(U256::from(second.header.base_fee_per_gas.unwrap()))
    );
    assert_eq!(
        history["reward"],
        json!([["0x3b9aca00", "0x3b9aca00"], ["0x0", "0x0"]])
    );
    let ratio = history["gasUsedRatio"][0].as_f64().unwrap();
    assert!((ratio - first.header.gas_used as f64 / 60_000_000.0).abs() < 1e-12);
    let price: U256 =
        serde_json::from_value(chain.ask("eth_gasPrice", rpc_params![]).await).unwrap();
    let next: U256 = serde_json::from_value::<U256>(fees[2].clone()).unwrap();
    assert_eq!(price, next + U256::from(1_000_000));

    let error = chain
        .refused("eth_feeHistory", rpc_params![2, "latest", [90.0, 10.0]])
        .await;
    assert_eq!(error.code(), -32_602);
    let everything = chain
        .ask("eth_feeHistory", rpc_params![5_000, "latest", Value::Null])
        .await;
    assert_eq!(everything["oldestBlock"], "0x0");
    assert_eq!(everything["reward"], Value::Null);
}
