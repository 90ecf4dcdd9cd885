//! `eth_sendRawTransaction` and what of it is seen before the block.

use alloy_primitives::TxKind;
use blockwright_rpc::{engine_port_module, eth_module};
use jsonrpsee::rpc_params;
use serde_json::{Value, json};

use crate::fixture::{LOGGER, signed, signer, start, transaction};

#[tokio::test]
async fn a_sent_transaction_is_pending_then_included() {
    let chain = start().await;
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let hash = chain
        .ask("eth_sendRawTransaction", rpc_params![tx.encoded.clone()])
        .await;
    assert_eq!(hash, json!(tx.hash));
    let pending = chain
        .ask("eth_getTransactionByHash", rpc_params![tx.hash])
        .await;
    assert_eq!(pending["blockHash"], Value::Null);
    assert_eq!(pending["nonce"], "0x0");
    assert_eq!(
        chain
            .ask("eth_getTransactionReceipt", rpc_params![tx.hash])
            .await,
        Value::Null
    );
    let sender = signer(0).address();
    assert_eq!(
        chain
            .ask("eth_getTransactionCount", rpc_params![sender, "pending"])
            .await,
        "0x1"
    );
    assert_eq!(
        chain
            .ask("eth_getTransactionCount", rpc_params![sender, "latest"])
            .await,
        "0x0"
    );
    assert_eq!(
        chain.ask("txpool_status", rpc_params![]).await["pending"],
        "0x1"
    );

    let pooled = chain.pool.get(&tx.hash).unwrap();
    let block = chain.advance(&[pooled]);
    let included = chain
        .ask("eth_getTransactionByHash", rpc_params![tx.hash])
        .await;
    assert_eq!(included["blockHash"], json!(block.hash));
    assert_eq!(
        chain
            .ask("eth_getTransactionCount", rpc_params![sender, "pending"])
            .await,
        "0x1"
    );
}

#[tokio::test]
async fn refusals_use_the_words_wallets_know() {
    let chain = start().await;
    let used = signed(0, transaction(0, TxKind::Call(LOGGER)));
    chain.advance(std::slice::from_ref(&used));
    let known = signed(1, transaction(0, TxKind::Call(LOGGER)));
    chain
        .ask("eth_sendRawTransaction", rpc_params![known.encoded.clone()])
        .await;

    let mut cheap = transaction(0, TxKind::Call(LOGGER));
    cheap.value = alloy_primitives::U256::from(1);
    let mut foreign = transaction(0, TxKind::Call(LOGGER));
    foreign.chain_id = 1;
    let mut little_gas = transaction(0, TxKind::Call(LOGGER));
    little_gas.gas_limit = 20_000;
    let mut rich = transaction(0, TxKind::Call(LOGGER));
    rich.value = blockwright_chain::dev::DEV_BALANCE;
    let mut huge = transaction(0, TxKind::Call(LOGGER));
    huge.gas_limit = 60_000_001;
    let mut truncated = known.encoded.to_vec();
    truncated.pop();

    for (encoded, words) in [
        (used.encoded.clone(), "nonce too low"),
        (known.encoded.clone(), "already known"),
        (
            signed(1, cheap).encoded.clone(),
            "replacement transaction underpriced",
        ),
        (signed(2, foreign).encoded.clone(), "invalid chain id"),
        (
            signed(2, little_gas).encoded.clone(),
            "intrinsic gas too low",
        ),
        (
            signed(2, rich).encoded.clone(),
            "insufficient funds for gas * price + value",
        ),
        (signed(2, huge).encoded.clone(), "gas limit"),
        (truncated.into(), "transaction bytes cannot be decoded"),
    ] {
        let error = chain
            .refused("eth_sendRawTransaction", rpc_params![encoded])
            .await;
        assert_eq!(error.code(), -32_000, "{error}");
        assert!(error.message().contains(words), "{words}: {error}");
    }
    let error = chain
        .refused("eth_sendRawTransaction", rpc_params!["0x0"])
        .await;
    assert_eq!(error.code(), -32_602);
    assert!(error.message().contains("transaction"), "{error}");
}

#[tokio::test]
async fn a_condition_is_refused_by_name_and_none_is_no_hindrance() {
    let chain = start().await;
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let method = "eth_sendRawTransactionConditional";
    for (condition, name) in [
        (json!({"blockNumberMax": "0x10"}), "blockNumberMax"),
        (json!({"timestampMin": "0x1"}), "timestampMin"),
        (
            json!({"knownAccounts": {LOGGER.to_string(): {"0x00": "0x00"}}}),
            "knownAccounts",
        ),
    ] {
        let params = rpc_params![tx.encoded.clone(), condition];
        let error = chain.refused(method, params).await;
        assert_eq!(error.code(), -32_003, "{error}");
        assert!(error.message().contains(name), "{error}");
    }
    for malformed in [json!({"blockNumberMaximum": "0x1"}), json!("0x1")] {
        let params = rpc_params![tx.encoded.clone(), malformed];
        let error = chain.refused(method, params).await;
        assert_eq!(error.code(), -32_602, "{error}");
    }
    assert!(chain.pool.get(&tx.hash).is_none());
    let params = rpc_params![tx.encoded.clone(), json!({"knownAccounts": {}})];
    assert_eq!(chain.ask(method, params).await, json!(tx.hash));
    assert!(chain.pool.get(&tx.hash).is_some());
}

#[tokio::test]
async fn a_sidecar_sets_the_price_and_leaves_what_the_sequencer_decides() {
    let chain = start().await;
    let sidecar = engine_port_module(&chain.api);
    let public = eth_module(&chain.api);
    for (method, param, changes) in [
        ("miner_setGasPrice", "0xffffffffffffffffff", true),
        ("miner_setGasLimit", "0x1c9c380", false),
        ("miner_setExtra", "anything", false),
    ] {
        let answer: bool = sidecar.call(method, rpc_params![param]).await.unwrap();
        assert_eq!(answer, changes, "{method}");
        let none = sidecar.call::<_, bool>(method, rpc_params![]).await;
        assert!(none.is_err(), "{method} without a parameter");
        assert!(public.method(method).is_none(), "{method} is not public");
    }
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let send = || rpc_params![tx.encoded.clone()];
    let error = chain.refused("eth_sendRawTransaction", send()).await;
    assert!(error.message().contains("tip"), "{error}");
    let lowered: bool = sidecar
        .call("miner_setGasPrice", rpc_params!["0x0"])
        .await
        .unwrap();
    assert!(lowered);
    let hash = chain.ask("eth_sendRawTransaction", send()).await;
    assert_eq!(hash, json!(tx.hash));
}
