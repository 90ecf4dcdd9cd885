//! Transfers, more than there is time for.

use std::io::{BufRead as _, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::priority;
use crate::support::tx::{account, sign, template};

/// Accounts that send, each by a connection of its own.
const SENDERS: usize = 9;
/// Transactions of one JSON-RPC batch.
const BATCH: usize = 250;
/// What each account sends in all.
const PER_ACCOUNT: u64 = 12_000;
/// The senders give way to everything, so that they cost what they ask for and nothing besides.
const NICE: i32 = 10;

/// A flood that goes on until it is told to stop.
pub(crate) struct Flood {
    sent: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<()>>,
}

impl Flood {
    /// Signs everything, then begins.
    pub(crate) fn start(url: &str) -> Self {
        let signed: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..SENDERS)
                .map(|index| scope.spawn(move || batches(index)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let (sent, stop) = (Arc::default(), Arc::default());
        let senders = signed.into_iter().map(|batches: Vec<String>| {
            let (url, sent, stop) = (url.to_owned(), Arc::clone(&sent), Arc::clone(&stop));
            std::thread::spawn(move || {
                priority::take(NICE);
                flood(&url, &batches, &sent, &stop);
            })
        });
        Self {
            senders: senders.collect(),
            sent,
            stop,
        }
    }

    /// Ends it; how many transactions were taken.
    pub(crate) fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.join().unwrap();
        }
        self.sent.load(Ordering::Relaxed)
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
