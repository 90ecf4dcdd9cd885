//! Blocks, transactions, receipts, logs.

use alloy_primitives::{B256, TxKind, U256};
use alloy_rpc_types_eth::Block;
use jsonrpsee::rpc_params;
use op_alloy_rpc_types::{OpTransactionReceipt, Transaction};
use serde_json::{Value, json};

use crate::fixture::{LOGGER, TOPIC, signed, signer, start, transaction};

#[tokio::test]
async fn a_block_is_found_by_every_name_and_hashes_to_its_hash() {
    let chain = start().await;
    let tx = signed(0, transaction(0, TxKind::Call(signer(1).address())));
    let block = chain.advance(&[tx]);
    let by_hash = chain
        .ask("eth_getBlockByHash", rpc_params![block.hash, true])
        .await;
    for name in [json!("latest"), json!("pending"), json!("0x1")] {
        let by_name = chain
            .ask("eth_getBlockByNumber", rpc_params![name, true])
            .await;
        assert_eq!(by_name, by_hash);
    }
    let read: Block<Transaction> = serde_json::from_value(by_hash.clone()).unwrap();
    assert_eq!(read.header.inner.hash_slow(), block.hash);
    assert_eq!(read.header.inner, block.header);
    assert_eq!(read.transactions.len(), 2);
    assert_eq!(by_hash["withdrawals"], json!([]));
    assert_eq!(by_hash["uncles"], json!([]));

    let hashes = chain.ask("eth_getBlockByNumber", rpc_params!["0x1"]).await;
    let expected: Vec<B256> = block.transactions().map(|tx| tx.hash).collect();
    assert_eq!(hashes["transactions"], json!(expected));
    let count = chain
        .ask(
            "eth_getBlockTransactionCountByNumber",
            rpc_params!["latest"],
        )
        .await;
    assert_eq!(count, "0x2");
}

#[tokio::test]
async fn what_does_not_exist_is_null() {
    let chain = start().await;
    for (method, params) in [
        ("eth_getBlockByNumber", rpc_params!["finalized", true]),
        ("eth_getBlockByNumber", rpc_params!["safe", true]),
        ("eth_getBlockByNumber", rpc_params!["0x99", false]),
        ("eth_getBlockByHash", rpc_params![B256::ZERO, false]),
        ("eth_getTransactionByHash", rpc_params![B256::ZERO]),
        ("eth_getTransactionReceipt", rpc_params![B256::ZERO]),
        ("eth_getBlockReceipts", rpc_params!["0x99"]),
        ("eth_getUncleCountByBlockNumber", rpc_params!["0x99"]),
    ] {
        assert_eq!(chain.ask(method, params).await, Value::Null, "{method}");
    }
    let genesis = chain
        .ask("eth_getBlockByNumber", rpc_params!["earliest", false])
        .await;
    assert_eq!(genesis["number"], "0x0");
}

#[tokio::test]
async fn size_is_that_of_the_rlp_form() {
    use alloy_rlp::Encodable;
    let chain = start().await;
    let tx = signed(0, transaction(0, TxKind::Call(signer(1).address())));
    let block = chain.advance(&[tx]);
    let read = chain
        .ask("eth_getBlockByNumber", rpc_params!["latest", false])
        .await;
    // An independent encoder: alloy's own block type.
    let whole = alloy_consensus::Block {
        header: block.header.clone(),
        body: alloy_consensus::BlockBody {
            transactions: block.transactions().map(|tx| tx.envelope.clone()).collect(),
            ommers: Vec::new(),
            withdrawals: Some(Default::default()),
        },
    };
    assert_eq!(read["size"], json!(U256::from(whole.length())));
}

#[tokio::test]
async fn receipts_have_the_op_fields() {
    let chain = start().await;
    let call = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let mut creation = transaction(1, TxKind::Create);
    creation.input = alloy_primitives::bytes!("00");
    let create = signed(0, creation);
    let again = signed(0, transaction(2, TxKind::Call(LOGGER)));
    let block = chain.advance(&[call.clone(), create.clone(), again.clone()]);

    let all = chain
        .ask("eth_getBlockReceipts", rpc_params!["latest"])
        .await;
    let deposit = &all[0];
    assert_eq!(deposit["type"], "0x7e");
    assert_eq!(deposit["depositNonce"], "0x0");
    assert_eq!(deposit["depositReceiptVersion"], "0x1");
    assert_eq!(deposit["effectiveGasPrice"], "0x0");
    assert_eq!(deposit["l1Fee"], Value::Null);

    let receipt = chain
        .ask("eth_getTransactionReceipt", rpc_params![call.hash])
        .await;
    assert_eq!(receipt, all[1]);
    assert_eq!(receipt["blockHash"], json!(block.hash));
    assert_eq!(receipt["transactionIndex"], "0x1");
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(receipt["l1GasPrice"], "0x3b9aca00");
    assert_eq!(receipt["l1BaseFeeScalar"], "0x558");
    assert_eq!(receipt["daFootprintGasScalar"], "0x190");
    assert_eq!(receipt["blobGasUsed"], json!(U256::from(call.da.0 * 400)));
    assert_ne!(receipt["l1Fee"], "0x0");
    assert_eq!(receipt["logs"][0]["logIndex"], "0x0");
    assert_eq!(all[3]["logs"][0]["logIndex"], "0x1");
    assert_eq!(all[3]["logs"][0]["transactionIndex"], "0x3");
    assert_eq!(
        all[2]["contractAddress"],
        json!(signer(0).address().create(1))
    );

    let typed: Vec<OpTransactionReceipt> = serde_json::from_value(all).unwrap();
    let gas: u64 = typed.iter().map(|receipt| receipt.inner.gas_used).sum();
    assert_eq!(gas, block.header.gas_used);
    let price = typed[1].inner.effective_gas_price;
    assert_eq!(
        price,
        u128::from(block.header.base_fee_per_gas.unwrap()) + 1_000_000_000
    );
}

#[tokio::test]
async fn transactions_are_found_by_hash_and_by_place() {
    let chain = start().await;
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let block = chain.advance(std::slice::from_ref(&tx));
    let by_hash = chain
        .ask("eth_getTransactionByHash", rpc_params![tx.hash])
        .await;
    assert_eq!(by_hash["from"], json!(signer(0).address()));
    assert_eq!(by_hash["blockHash"], json!(block.hash));
    for (method, params) in [
        (
            "eth_getTransactionByBlockNumberAndIndex",
            rpc_params!["latest", "0x1"],
        ),
        (
            "eth_getTransactionByBlockHashAndIndex",
            rpc_params![block.hash, "0x1"],
        ),
    ] {
        assert_eq!(chain.ask(method, params).await, by_hash);
    }
    let raw = chain
        .ask("eth_getRawTransactionByHash", rpc_params![tx.hash])
        .await;
    assert_eq!(raw, json!(tx.encoded));
}

#[tokio::test]
async fn logs_are_filtered_and_bounded() {
    let limits = blockwright_rpc::RpcLimits {
        logs_blocks_max: 3,
        logs_count_max: 2,
        ..Default::default()
    };
    let chain = crate::fixture::start_with(limits, Default::default()).await;
    let mut hashes = Vec::new();
    for nonce in 0..3 {
        let tx = signed(0, transaction(nonce, TxKind::Call(LOGGER)));
        hashes.push(chain.advance(&[tx]).hash);
    }
    let in_block = chain
        .ask(
            "eth_getLogs",
            rpc_params![json!({"blockHash": hashes[1], "address": LOGGER})],
        )
        .await;
    assert_eq!(in_block.as_array().unwrap().len(), 1);
    assert_eq!(in_block[0]["topics"], json!([TOPIC]));
    assert_eq!(in_block[0]["blockNumber"], "0x2");
    let two = json!({"fromBlock": "0x1", "toBlock": "0x2", "topics": [TOPIC]});
    assert_eq!(
        chain
            .ask("eth_getLogs", rpc_params![two])
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let other = json!({"fromBlock": "0x1", "toBlock": "0x2", "topics": [B256::ZERO]});
    assert_eq!(
        chain.ask("eth_getLogs", rpc_params![other]).await,
        json!([])
    );

    let too_many = json!({"fromBlock": "0x1", "toBlock": "latest"});
    let error = chain.refused("eth_getLogs", rpc_params![too_many]).await;
    assert_eq!(error.code(), -32_005);
    assert!(error.message().contains("more than 2 logs"), "{error}");
    let too_wide = json!({"fromBlock": "0x0", "toBlock": "latest"});
    let error = chain.refused("eth_getLogs", rpc_params![too_wide]).await;
    assert_eq!(error.code(), -32_005);
    let backwards = json!({"fromBlock": "0x2", "toBlock": "0x1"});
    let error = chain.refused("eth_getLogs", rpc_params![backwards]).await;
    assert_eq!(error.code(), -32_602);
}
