//! `eth_simulateV1`, and calls in blocks that are different.

use alloy_primitives::{Address, B256, TxKind, U256, keccak256};
use blockwright_rpc::{Placeholders, RpcLimits, ServerConfig};
use jsonrpsee::rpc_params;
use serde_json::{Value, json};

use crate::fixture::{
    GENESIS_TIME, GETTER, LOGGER, REVERTER, TOPIC, signed, signer, start, start_overlaid,
    start_with, transaction,
};

const SHA256: &str = "0x0000000000000000000000000000000000000002";

fn simulation(blocks: &Value) -> Value {
    json!({ "blockStateCalls": blocks })
}

#[tokio::test]
async fn blocks_come_back_whole() {
    let chain = start().await;
    chain.advance(&[signed(0, transaction(0, TxKind::Call(LOGGER)))]);
    let head = chain.head();
    let sender = signer(0).address();
    let receiver = Address::repeat_byte(0xaa);
    let payload = json!({
        "blockStateCalls": [
            {"calls": [
                {"from": sender, "to": LOGGER},
                {"from": sender, "to": REVERTER},
                {"from": sender, "to": receiver, "value": "0x5"},
            ]},
            {"blockOverrides": {"number": "0x4", "prevRandao": B256::repeat_byte(9)}},
        ],
        "traceTransfers": true,
    });
    let blocks = chain
        .ask("eth_simulateV1", rpc_params![payload, "latest"])
        .await;
    let numbers: Vec<_> = blocks
        .as_array()
        .unwrap()
        .iter()
        .map(|b| &b["number"])
        .collect();
    assert_eq!(numbers, ["0x2", "0x3", "0x4"]);
    assert_eq!(blocks[0]["parentHash"], json!(head.hash));
    assert_eq!(blocks[1]["parentHash"], blocks[0]["hash"]);
    assert_eq!(blocks[2]["mixHash"], json!(B256::repeat_byte(9)));
    assert_eq!(blocks[0]["transactions"].as_array().unwrap().len(), 3);
    assert_eq!(blocks[0]["withdrawals"], json!([]));

    let calls = &blocks[0]["calls"];
    assert_eq!(calls[0]["status"], "0x1");
    let log = &calls[0]["logs"][0];
    assert_eq!(log["topics"], json!([TOPIC]));
    assert_eq!(log["blockHash"], blocks[0]["hash"]);
    assert_eq!(log["transactionHash"], blocks[0]["transactions"][0]);
    assert_eq!(log["logIndex"], "0x0");

    assert_eq!(calls[1]["status"], "0x0");
    assert_eq!(calls[1]["returnData"], "0x");
    let error = &calls[1]["error"];
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!(3), &json!("execution reverted: nope"))
    );
    assert!(error["data"].as_str().unwrap().starts_with("0x08c379a0"));

    let transfer = &calls[2]["logs"][0];
    assert_eq!(
        transfer["address"],
        "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    );
    assert_eq!(transfer["logIndex"], "0x1");
    assert_eq!(transfer["data"], json!(B256::with_last_byte(5)));
    assert_eq!(calls[2]["maxUsedGas"], "0x5208");
    // Nothing of it stays.
    assert_eq!(
        chain.ask("eth_getBalance", rpc_params![receiver]).await,
        "0x0"
    );
}

/// The hash says what the transaction is: EIP-1559 without a signature, or legacy with none.
#[tokio::test]
async fn whole_transactions_have_no_signature() {
    let chain = start().await;
    let payload = json!({
        "blockStateCalls": [{"calls": [
            {"from": signer(0).address(), "to": GETTER, "gas": "0x7530"},
            {"from": signer(0).address(), "to": GETTER, "gas": "0x7530", "gasPrice": "0x1"},
        ]}],
        "returnFullTransactions": true,
    });
    let blocks = chain.ask("eth_simulateV1", rpc_params![payload]).await;
    let transactions = &blocks[0]["transactions"];
    for (index, kind) in [(0, "0x2"), (1, "0x0")] {
        let tx = &transactions[index];
        assert_eq!(tx["type"], kind);
        assert_eq!(tx["from"], json!(signer(0).address()));
        assert_eq!(tx["chainId"], "0x385");
        assert_eq!(
            (&tx["r"], &tx["s"], &tx["v"]),
            (&json!("0x0"), &json!("0x0"), &json!("0x0"))
        );
        assert_eq!(tx["blockHash"], blocks[0]["hash"]);
    }
    // nonce 1, price 1, gas 30,000, no value, no data, three zeros.
    let getter = format!("{GETTER:x}");
    let encoded = format!("df0101827530 94{getter} 80 80 80 80 80").replace(' ', "");
    let hash = keccak256(alloy_primitives::hex::decode(encoded).unwrap());
    assert_eq!(transactions[1]["hash"], json!(hash));
}

#[tokio::test]
async fn refusals_have_their_codes() {
    let chain = start().await;
    let poor = Address::repeat_byte(0xbb);
    let call = |call: Value| simulation(&json!([{ "calls": [call] }]));
    let number = |number: &str| json!({"blockOverrides": {"number": number}});
    let precompile = |to: &str| {
        simulation(&json!([{"stateOverrides": {SHA256: {"movePrecompileToAddress": to}}}]))
    };
    for (payload, code) in [
        (simulation(&json!([])), -32_602),
        (simulation(&json!([number("0x2"), number("0x1")])), -38_020),
        (
            simulation(&json!([{"blockOverrides": {"time": "0x1"}}])),
            -38_021,
        ),
        (simulation(&json!([number("0x101")])), -38_026),
        (
            call(json!({"from": poor, "to": GETTER, "value": "0x1"})),
            -38_014,
        ),
        (call(json!({"to": GETTER, "gas": "0x1"})), -38_013),
        (call(json!({"to": GETTER, "gas": "0xffffffffff"})), -38_015),
        (
            call(json!({"to": GETTER, "maxFeePerBlobGas": "0x1"})),
            -32_602,
        ),
        (precompile(SHA256), -38_022),
        (
            simulation(&json!([{"blockOverrides": {"blockHash": {"1": B256::ZERO}}}])),
            -32_602,
        ),
        (
            simulation(&json!([{"blockOverrides": {"baseFeePerGas": U256::MAX}}])),
            -32_602,
        ),
    ] {
        let error = chain
            .refused("eth_simulateV1", rpc_params![payload.clone()])
            .await;
        assert_eq!(error.code(), code, "{payload}: {error}");
    }
}

#[tokio::test]
async fn calls_and_gas_of_a_simulation_are_bounded() {
    let limits = RpcLimits {
        simulate_calls_max: 2,
        call_gas_max: 60_000,
        simulate_result_bytes_max: 64,
        ..RpcLimits::default()
    };
    let chain = start_with(limits, ServerConfig::default()).await;
    let calls = |count: usize| {
        let call = json!({"from": signer(0).address(), "to": GETTER});
        simulation(&json!([{ "calls": vec![call; count] }]))
    };
    let two = chain.ask("eth_simulateV1", rpc_params![calls(2)]).await;
    assert_eq!(two[0]["calls"][1]["status"], "0x1");
    let error = chain.refused("eth_simulateV1", rpc_params![calls(3)]).await;
    assert_eq!(
        (error.code(), error.message()),
        (-38_026, "too many calls: 3 > 2")
    );

    let three_words = json!({GETTER.to_string(): {"code": "0x60606000f3"}});
    let payload = simulation(&json!([{"stateOverrides": three_words, "calls": [{"to": GETTER}]}]));
    let error = chain.refused("eth_simulateV1", rpc_params![payload]).await;
    assert_eq!(error.code(), -38_026);
    assert!(error.message().contains("more than 64 bytes"), "{error}");

    let endless = json!({GETTER.to_string(): {"code": "0x5b600056"}});
    let payload = simulation(&json!([{"stateOverrides": endless, "calls": [{"to": GETTER}]}]));
    let blocks = chain.ask("eth_simulateV1", rpc_params![payload]).await;
    let failed = &blocks[0]["calls"][0];
    assert_eq!(
        (&failed["gasUsed"], &failed["error"]["code"]),
        (&json!("0xea60"), &json!(-32_015))
    );
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("out of gas (its gas limit was lowered"),
        "{message}"
    );
}

#[tokio::test]
async fn calls_run_in_the_block_that_is_asked_for() {
    let chain = start().await;
    let head = chain.advance(&[]);
    // NUMBER, TIMESTAMP, GASLIMIT, COINBASE, PREVRANDAO, BASEFEE, BLOBBASEFEE.
    let code = "0x436000524260205245604052416060524460805248\
                60a0524a60c05260e06000f3";
    let accounts = json!({GETTER.to_string(): {"code": code}});
    let recipient = Address::repeat_byte(0xcc);
    let block = json!({
        "number": "0x20", "time": format!("0x{:x}", GENESIS_TIME + 99), "gasLimit": "0x100000",
        "feeRecipient": recipient, "prevRandao": B256::repeat_byte(3), "baseFeePerGas": "0x7",
        "blobBaseFee": "0x11",
    });
    let call =
        json!({"from": signer(0).address(), "to": GETTER, "gas": "0xffff", "gasPrice": "0x9"});
    let answer = chain
        .ask(
            "eth_call",
            rpc_params![call.clone(), "latest", accounts.clone(), block.clone()],
        )
        .await;
    let expected: Vec<String> = [
        U256::from(0x20),
        U256::from(GENESIS_TIME + 99),
        U256::from(0x10_0000),
        U256::from_be_bytes(recipient.into_word().0),
        U256::from_be_bytes([3; 32]),
        U256::from(7),
        U256::from(0x11),
    ]
    .iter()
    .map(|word| format!("{word:064x}"))
    .collect();
    assert_eq!(answer, format!("0x{}", expected.concat()));
    let estimate = chain
        .ask(
            "eth_estimateGas",
            rpc_params![call.clone(), "latest", accounts.clone(), block],
        )
        .await;
    assert!(estimate.as_str().unwrap().starts_with("0x5"), "{estimate}");

    // In the next block this one is an ancestor.
    let ancestor = json!({GETTER.to_string(): {"code": "0x60014060005260206000f3"}});
    let params = rpc_params![
        json!({"to": GETTER}),
        "latest",
        ancestor,
        json!({"number": "0x2"})
    ];
    assert_eq!(chain.ask("eth_call", params).await, json!(head.hash));

    for refused in [
        json!({"beaconRoot": B256::ZERO}),
        json!({"number": U256::MAX}),
    ] {
        let params = rpc_params![call.clone(), "latest", accounts.clone(), refused];
        let error = chain.refused("eth_call", params).await;
        assert_eq!(error.code(), -32_602);
        assert!(error.message().contains("blockOverrides"), "{error}");
    }
}

#[tokio::test]
async fn a_call_finds_a_precompile_where_it_was_moved() {
    let chain = start().await;
    let place = Address::repeat_byte(0xdd);
    let moved = json!({SHA256: {"movePrecompileToAddress": place}});
    let ask = |to: Value| rpc_params![json!({"to": to}), "latest", moved.clone()];
    let empty_hash = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(chain.ask("eth_call", ask(json!(place))).await, empty_hash);
    assert_eq!(chain.ask("eth_call", ask(json!(SHA256))).await, "0x");
    let twice = json!({
        SHA256: {"movePrecompileToAddress": place},
        "0x0000000000000000000000000000000000000004": {"movePrecompileToAddress": place},
    });
    let error = chain
        .refused(
            "eth_call",
            rpc_params![json!({"to": place}), "latest", twice],
        )
        .await;
    assert_eq!(error.code(), -38_023);
}

/// What is simulated on a preconfirmed block is what is simulated on it once it is sealed: state, roots
/// and hashes.
#[tokio::test]
async fn a_simulation_on_pending_stands_on_preconfirmed_state() {
    let chain = start_overlaid(Placeholders::Standard).await;
    let receiver = Address::repeat_byte(0xaa);
    let mut transfer = transaction(0, TxKind::Call(receiver));
    transfer.value = U256::from(5);
    let parts = [
        vec![signed(0, transfer)],
        vec![signed(1, transaction(0, TxKind::Call(LOGGER)))],
    ];
    for block in chain.preconfirmed(&parts) {
        chain.feed.publish(block);
    }
    let payload = simulation(&json!([
        {"calls": [{"from": receiver, "to": LOGGER, "value": "0x5"}]},
        {"calls": [{"from": signer(0).address(), "to": receiver}]},
    ]));
    let settled = chain
        .refused("eth_simulateV1", rpc_params![payload.clone(), "latest"])
        .await;
    assert_eq!(settled.code(), -38_014);
    let preconfirmed = chain
        .ask("eth_simulateV1", rpc_params![payload.clone(), "pending"])
        .await;
    assert_eq!(preconfirmed[0]["number"], "0x2");

    let sealed = chain.build(&chain.head(), 2, &parts.concat());
    chain.adopt(&sealed);
    let later = chain
        .ask("eth_simulateV1", rpc_params![payload, "latest"])
        .await;
    assert_eq!(later, preconfirmed);
}
