//! Transactions from listed addresses alone.

use std::net::SocketAddr;

use alloy_primitives::TxKind;
use blockwright_rpc::{RpcLimits, ServerConfig, Sources};
use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::fixture::{Chain, LOGGER, signed, start_with, transaction};

async fn taking_from(sources: &[&str]) -> Chain {
    let sources = sources.iter().map(|text| text.parse().unwrap()).collect();
    let config = ServerConfig {
        sources: Sources::new(sources),
        ..ServerConfig::default()
    };
    start_with(RpcLimits::default(), config).await
}

/// Posts from another of the loopback's addresses.
async fn post_from(source: &str, to: SocketAddr, body: &Value) -> Value {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn call(id: u64, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

#[tokio::test]
async fn others_are_refused_on_every_way_and_may_still_read() {
    let chain = taking_from(&["127.0.0.2", "10.0.0.0/8"]).await;
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let send = call(1, "eth_sendRawTransaction", &json!([tx.encoded]));
    let conditional = call(
        2,
        "eth_sendRawTransactionConditional",
        &json!([tx.encoded, {}]),
    );
    let read = call(3, "eth_chainId", &json!([]));
    let to = chain.http.local_addr();
    for body in [&send, &conditional] {
        let answer = post_from("127.0.0.1", to, body).await;
        assert_eq!(answer["id"], body["id"]);
        assert_eq!(answer["error"]["code"], -32_003, "{answer}");
        assert_eq!(answer["error"]["data"], "source_not_listed", "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("127.0.0.1"), "{message}");
    }
    let batch = json!([read, send, conditional]);
    let answers = post_from("127.0.0.1", to, &batch).await;
    assert_eq!(answers[0]["result"], "0x385");
    for (answer, id) in [(&answers[1], 1), (&answers[2], 2)] {
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&json!(id), &json!(-32_003))
        );
    }
    let ws = WsClientBuilder::default()
        .build(format!("ws://{}", chain.ws.local_addr()))
        .await
        .unwrap();
    let refused = ws.request::<Value, _>("eth_sendRawTransaction", rpc_params![&tx.encoded]);
    let Err(Error::Call(refused)) = refused.await else {
        panic!("taken");
    };
    assert_eq!(refused.code(), -32_003);
    let chain_id: Value = ws.request("eth_chainId", rpc_params![]).await.unwrap();
    assert_eq!(chain_id, "0x385");
    assert!(chain.pool.get(&tx.hash).is_none());

    let answer = post_from("127.0.0.2", to, &send).await;
    assert_eq!(answer["result"], json!(tx.hash), "{answer}");
    assert!(chain.pool.get(&tx.hash).is_some());
}

#[tokio::test]
async fn a_node_that_takes_from_nobody_stops_like_any_other() {
    let chain = taking_from(&["none"]).await;
    let tx = signed(0, transaction(0, TxKind::Call(LOGGER)));
    let error = chain
        .refused("eth_sendRawTransaction", rpc_params![tx.encoded.clone()])
        .await;
    assert_eq!(error.code(), -32_003);
    let addr = chain.http.local_addr();
    chain.http.stop().await;
    chain.ws.stop().await;
    tokio::net::TcpListener::bind(addr)
        .await
        .expect("the port is free again");
}
