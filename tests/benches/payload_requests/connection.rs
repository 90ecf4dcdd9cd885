//! A proposer's connection.

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Room for an answer, made before anything is measured: fresh memory costs more than what is written to it.
const ANSWER_BYTES: usize = 1 << 20;

/// A connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// What came of a request, and how long after its first byte.
pub(crate) struct Asked {
    pub(crate) first_byte: Duration,
    pub(crate) last_byte: Duration,
    pub(crate) status: u16,
    pub(crate) length: usize,
}

impl Connection {
    pub(crate) async fn open(url: &str) -> Self {
        let addr = url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            // Written to, so that its pages are there.
            answer: vec![0x20; ANSWER_BYTES],
        }
    }

    pub(crate) async fn ask(&mut self, slot: u64, parent: B256) -> Asked {
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
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = self.stream.read(&mut self.answer).await.unwrap();
        let first_byte = asked.elapsed();
        let head_bytes = loop {
            let mut places = self.answer[..read].windows(4);
            match places.position(|bytes| bytes == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => read += self.more(read).await,
            }
        };
        let head = String::from_utf8_lossy(&self.answer[..head_bytes]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.unwrap().trim().parse().unwrap();
        if self.answer.len() < head_bytes + length {
            self.answer.resize(head_bytes + length, 0);
        }
        while read < head_bytes + length {
            read += self.more(read).await;
        }
        Asked {
            first_byte,
            last_byte: asked.elapsed(),
            status,
            length,
        }
    }

    /// How many bytes came behind the first `read` ones.
    async fn more(&mut self, read: usize) -> usize {
        let more = self.stream.read(&mut self.answer[read..]).await.unwrap();
        assert_ne!(more, 0, "the answer ends early");
        more
    }
}
