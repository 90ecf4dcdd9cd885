//! The simplest HTTP client: one request a connection.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use blockwright_engine::JwtSecret;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Posts `body` with an `Authorization` header, if given.
pub async fn post(addr: SocketAddr, authorization: Option<&str>, body: &str) -> Answer {
    exchange(addr, authorization, body.len(), body).await
}

/// Sends the head of a request whose body would have `length_bytes`, and no body: an answer to the
/// head must not race with the rest of the request.
pub async fn announce(addr: SocketAddr, authorization: &str, length_bytes: usize) -> Answer {
    exchange(addr, Some(authorization), length_bytes, "").await
}

async fn exchange(
    addr: SocketAddr,
    authorization: Option<&str>,
    length_bytes: usize,
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let authorization = authorization
        .map(|value| format!("authorization: {value}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {addr}\r\n{authorization}content-type: application/json\r\n\
         content-length: {length_bytes}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        body: body.to_owned(),
    }
}

/// A JSON-RPC client with the secret.
pub struct Client {
    pub addr: SocketAddr,
    pub secret: JwtSecret,
}

impl Client {
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.secret.sign(now_s()).unwrap())
    }

    pub async fn send(&self, body: &str) -> Answer {
        post(self.addr, Some(&self.authorization()), body).await
    }

    pub async fn call(&self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.send(&request.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }
}
