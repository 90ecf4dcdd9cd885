//! Malformed, oversized and numerous requests.

use alloy_primitives::TxKind;
use blockwright_rpc::{ServerConfig, engine_port_module};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Chain, LOGGER, signed, start, start_with, transaction};

/// Posts a body as it is, and reads status and answer.
async fn post(chain: &Chain, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(chain.http.local_addr()).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn json_of(chain: &Chain, body: &str) -> Value {
    serde_json::from_str(&post(chain, body).await.1).unwrap()
}

#[tokio::test]
async fn params_may_be_absent() {
    let chain = start().await;
    let answer = json_of(&chain, r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#).await;
    assert_eq!(answer["result"], "0x385");
}

#[tokio::test]
async fn bad_requests_get_the_standard_codes() {
    let chain = start().await;
    for (body, code) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId""#, -32_700),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}"#,
            -32_601,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#,
            -32_601,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"a":1}}"#,
            -32_602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}"#,
            -32_602,
        ),
        ("[]", -32_600),
    ] {
        let answer = json_of(&chain, body).await;
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
    }
}

#[tokio::test]
async fn a_batch_is_answered_in_order_whatever_its_entries_take() {
    let chain = start().await;
    let mut batch = Vec::new();
    for id in 0..40 {
        let method = match id % 4 {
            0 => "eth_estimateGas",
            1 => "eth_blockNumber",
            2 => "eth_nothing",
            _ => "eth_getBalance",
        };
        let address = "0x4200000000000000000000000000000000000015";
        let params = match id % 4 {
            0 => json!([{"to": address}]),
            3 => json!([address, "latest"]),
            _ => json!([]),
        };
        batch.push(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }
    let answers = json_of(&chain, &Value::from(batch).to_string()).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 40);
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["code"] == -32_601, id % 4 == 2, "{answer}");
    }
}

#[tokio::test]
async fn a_batch_of_transactions_is_answered_in_order_beside_everything_else() {
    let chain = start().await;
    let to = TxKind::Call(LOGGER);
    let txs: Vec<_> = (0..60)
        .map(|nonce| signed(0, transaction(nonce, to)))
        .collect();
    let send = |id: usize, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": "eth_sendRawTransaction", "params": params});
    let mut batch: Vec<Value> = txs
        .iter()
        .enumerate()
        .map(|(id, tx)| send(id, json!([tx.encoded])))
        .collect();
    batch[7] = send(7, json!(["0x0"]));
    batch[11] = json!({"jsonrpc": "2.0", "id": "text", "method": "eth_chainId"});
    batch[13] = send(13, json!([txs[12].encoded]));
    // A notification has no answer, and sends nothing.
    batch[59] = json!({
        "jsonrpc": "2.0", "method": "eth_sendRawTransaction", "params": [txs[59].encoded],
    });
    let answers = json_of(&chain, &Value::from(batch).to_string()).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 59);
    for (id, (answer, tx)) in answers.iter().zip(&txs).enumerate() {
        match id {
            7 => assert_eq!(answer["error"]["code"], -32_602, "{answer}"),
            11 => assert_eq!(
                (&answer["id"], &answer["result"]),
                (&json!("text"), &json!("0x385"))
            ),
            13 => assert_eq!(answer["error"]["message"], "already known", "{answer}"),
            _ => assert_eq!(
                (&answer["id"], &answer["result"]),
                (&json!(id), &json!(tx.hash))
            ),
        }
    }
    assert_eq!(chain.pool.status().recovered, 56);
}

#[tokio::test]
async fn answers_to_transactions_count_against_the_limit_of_a_batch() {
    let config = ServerConfig {
        response_bytes_max: 500,
        ..ServerConfig::default()
    };
    let chain = start_with(Default::default(), config).await;
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let entry = json!({
        "jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [tx.encoded],
    });
    let batch = Value::from(vec![entry; 20]).to_string();
    let answer = json_of(&chain, &batch).await;
    assert_eq!(answer["error"]["code"], -32_011, "{answer}");
}

#[tokio::test]
async fn batches_and_requests_are_limited() {
    let config = ServerConfig {
        batch_entries_max: 3,
        request_bytes_max: 1_000,
        ..ServerConfig::default()
    };
    let chain = start_with(Default::default(), config).await;
    let entry = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    let answer = json_of(&chain, &format!("[{entry},{entry},{entry}]")).await;
    assert_eq!(answer.as_array().unwrap().len(), 3);
    let answer = json_of(&chain, &format!("[{entry},{entry},{entry},{entry}]")).await;
    assert_eq!(answer["error"]["code"], -32_010);
    let (status, _) = post(&chain, &" ".repeat(1_001)).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn the_engine_port_has_what_consensus_clients_and_sidecars_ask() {
    let chain = start().await;
    let module = engine_port_module(&chain.api);
    for method in [
        "eth_chainId",
        "eth_blockNumber",
        "eth_syncing",
        "eth_getBlockByNumber",
        "eth_getBlockByHash",
        "eth_getBlockReceipts",
        "eth_getTransactionReceipt",
        "eth_getLogs",
        "eth_getCode",
        "eth_call",
        "eth_sendRawTransaction",
        "eth_sendRawTransactionConditional",
        "miner_setExtra",
        "miner_setGasLimit",
        "miner_setGasPrice",
        "miner_setMaxDASize",
    ] {
        assert!(module.method(method).is_some(), "{method}");
    }
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let chain = start().await;
    let addr = chain.http.local_addr();
    chain.http.stop().await;
    assert!(tokio::net::TcpListener::bind(addr).await.is_ok());
}
