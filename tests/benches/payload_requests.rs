//! How long a builder takes from a proposer's request to the last byte of its signed answer, while transfers
//! flood it: 64 connections that ask shortly before the end of each block, in every other block all at once, else
//! one after the other.
//! `PAYLOAD_REQUEST_BLOCKS` sets the number of blocks (20), a second each; `BLOCKWRIGHT_BIN` the binary.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead as _, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use serde_json::{Value, json};
use support::process::Blockwright;
use support::rpc::quantity;
use support::stream::Subscriber;
use support::tx::{account, sign, template};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const BLOCKS: usize = 20;
const CONNECTIONS: usize = 64;
/// Transactions of one JSON-RPC batch.
const BATCH: usize = 250;
/// What each of the ten accounts sends in all.
const PER_ACCOUNT: u64 = 12_000;
/// Between two that ask one after the other.
const APART: Duration = Duration::from_millis(5);
/// Before the block's timestamp.
const ASKED_BEFORE: Duration = Duration::from_millis(120);

/// A connection that stays open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(url: &str) -> Self {
        let addr = url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    async fn ask(&mut self, slot: u64, parent: B256) -> Asked {
        let body = json!({
            "message": {"slot": format!("{slot:#x}"), "parentHash": parent},
            "signature": format!("0x{}", "00".repeat(65)),
        })
        .to_string();
        let request = format!(
            "POST /eth/v1/builder/payload HTTP/1.1\r\nHost: builder\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let asked = Instant::now();
        self.0
            .get_mut()
            .write_all(request.as_bytes())
            .await
            .unwrap();
        let (mut status, mut length, mut line) = (0, 0, String::new());
        let mut first_byte = Duration::ZERO;
        loop {
            line.clear();
            self.0.read_line(&mut line).await.unwrap();
            if first_byte.is_zero() {
                first_byte = asked.elapsed();
            }
            let text = line.trim().to_ascii_lowercase();
            if text.is_empty() {
                break;
            }
            if text.starts_with("http/") {
                status = text.split(' ').nth(1).unwrap().parse().unwrap();
            }
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).await.unwrap();
        Asked {
            first_byte,
            last_byte: asked.elapsed(),
            status,
            length,
        }
    }
}

/// What came of a request, and how long after its first byte.
struct Asked {
    first_byte: Duration,
    last_byte: Duration,
    status: u16,
    length: usize,
}

/// The answers of one way of asking.
#[derive(Default)]
struct Figures {
    first_byte: Vec<Duration>,
    last_byte: Vec<Duration>,
    longest: usize,
    without: usize,
}

impl Figures {
    fn add(&mut self, asked: &Asked) {
        self.longest = self.longest.max(asked.length);
        if asked.status == 200 {
            self.first_byte.push(asked.first_byte);
            self.last_byte.push(asked.last_byte);
        } else {
            self.without += 1;
        }
    }

    fn print(mut self, how: &str) {
        println!(
            "{CONNECTIONS} connections, {how}: {} answers of up to {} bytes, {} without a block",
            self.last_byte.len(),
            self.longest,
            self.without
        );
        for (what, times) in [
            ("first byte", &mut self.first_byte),
            ("last byte", &mut self.last_byte),
        ] {
            times.sort();
            let ms = |share: f64| {
                let place = (times.len().saturating_sub(1) as f64 * share).round() as usize;
                times
                    .get(place)
                    .map_or(0.0, |time| time.as_secs_f64() * 1e3)
            };
            let (p50, p99, max) = (ms(0.5), ms(0.99), ms(1.0));
            println!("  {what}: p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms");
        }
    }
}

/// What one account sends: JSON-RPC batches, whole as they go over the wire, so that whoever sends them has no
/// work that others would wait for.
fn batches(index: usize) -> Vec<String> {
    let signer = account(index);
    let nonces: Vec<u64> = (0..PER_ACCOUNT).collect();
    let batch = |nonces: &[u64]| {
        let calls = nonces.iter().map(|nonce| {
            let (raw, _) = sign(&signer, template(*nonce));
            format!(
                r#"{{"jsonrpc":"2.0","id":{nonce},"method":"eth_sendRawTransaction","params":["{raw}"]}}"#
            )
        });
        let body = format!("[{}]", calls.collect::<Vec<_>>().join(","));
        let length = body.len();
        format!(
            "POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    nonces.chunks(BATCH).map(batch).collect()
}

/// Sends batch after batch, each once the one before is answered, for as long as nobody says stop.
fn flood(url: &str, batches: &[String], sent: &AtomicU64, stop: &AtomicBool) {
    let addr = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::io::BufReader::new(std::net::TcpStream::connect(addr).unwrap());
    for batch in batches {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        stream.get_mut().write_all(batch.as_bytes()).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).unwrap();
        sent.fetch_add(BATCH as u64, Ordering::Relaxed);
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// The next block's beginning.
async fn begun(stream: &mut Subscriber) -> Value {
    loop {
        let flashblock = stream.next().await;
        if flashblock["index"] == 0 {
            return flashblock["base"].clone();
        }
    }
}

#[tokio::main]
async fn main() {
    let blocks = std::env::var("PAYLOAD_REQUEST_BLOCKS").ok();
    let blocks = blocks.and_then(|text| text.parse().ok()).unwrap_or(BLOCKS);
    let node = Blockwright::start(&[
        "dev",
        "--block-time",
        "1s",
        "--txpool.account-slots",
        "20000",
    ]);
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let mut connections = Vec::new();
    let (sent, stop) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let signed: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..9)
            .map(|index| scope.spawn(move || batches(index)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let floods: Vec<_> = signed
        .into_iter()
        .map(|batches: Vec<String>| {
            let (url, sent, stop) = (
                node.endpoints.http.clone(),
                Arc::clone(&sent),
                Arc::clone(&stop),
            );
            std::thread::spawn(move || flood(&url, &batches, &sent, &stop))
        })
        .collect();
    let (mut at_once, mut in_turn) = (Figures::default(), Figures::default());
    for round in 0..blocks {
        let base = begun(&mut stream).await;
        // Not before: a connection that asks for nothing is closed.
        while connections.len() < CONNECTIONS {
            connections.push(Connection::open(&node.endpoints.builder_api).await);
        }
        let slot = quantity(&base["block_number"]);
        let parent: B256 = serde_json::from_value(base["parent_hash"].clone()).unwrap();
        let end = Duration::from_secs(quantity(&base["timestamp"])).saturating_sub(ASKED_BEFORE);
        let apart = if round % 2 == 0 {
            Duration::ZERO
        } else {
            APART
        };
        let begin = end.saturating_sub(apart * CONNECTIONS as u32);
        let asked = connections
            .into_iter()
            .enumerate()
            .map(|(place, mut connection)| {
                tokio::spawn(async move {
                    let due = begin + apart * place as u32;
                    tokio::time::sleep(due.saturating_sub(now())).await;
                    let asked = connection.ask(slot, parent).await;
                    (connection, asked)
                })
            });
        let asked: Vec<_> = asked.collect();
        connections = Vec::new();
        for asked in asked {
            let (connection, asked) = asked.await.unwrap();
            connections.push(connection);
            let figures = if round % 2 == 0 {
                &mut at_once
            } else {
                &mut in_turn
            };
            figures.add(&asked);
        }
    }
    stop.store(true, Ordering::Relaxed);
    for flood in floods {
        flood.join().unwrap();
    }
    println!(
        "{} transactions taken in {blocks} blocks",
        sent.load(Ordering::Relaxed)
    );
    at_once.print("all at once");
    in_turn.print("one after the other");
    node.stop();
}
