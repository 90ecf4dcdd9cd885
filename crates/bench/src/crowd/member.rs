//! One subscriber of the crowd.

use std::cell::RefCell;
use std::io;

use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use super::deliveries::Shared;
use super::dial::Dial;
use super::frame_scanner::{FrameScanner, READ_BYTES, Scanned};
use crate::clock::now_us;
use crate::{Delivery, FlashblockKey};

/// Most bytes that are thrown away by one call.
const DISCARD_BYTES: usize = 1 << 20;

thread_local! {
    /// Names the length to be thrown away; nothing is ever written to it.
    static NOTHING: RefCell<Vec<u8>> = RefCell::new(vec![0; DISCARD_BYTES]);
}

/// A subscriber that is connected.
pub(crate) struct Member {
    stream: TcpStream,
    scanner: FrameScanner,
    last: Option<FlashblockKey>,
}

impl Member {
    /// Member `number` of the crowd.
    pub(crate) async fn join(dial: &Dial, number: u32) -> io::Result<Self> {
        let mut stream = dial.member(number).await?;
        let mut scanner = FrameScanner::default();
        scanner.take(&dial.shake_hands(&mut stream).await?);
        Ok(Self {
            stream,
            scanner,
            last: None,
        })
    }

    /// Notes all that comes; why it ended.
    pub(crate) async fn listen(mut self, deliveries: &Shared) -> String {
        loop {
            match self.step(deliveries).await {
                Ok(None) => {}
                Ok(Some(cause)) => return cause,
                Err(error) => return error.to_string(),
            }
        }
    }

    async fn step(&mut self, deliveries: &Shared) -> io::Result<Option<String>> {
        match self.scanner.next() {
            Scanned::Read => {
                let mut bytes = [0; READ_BYTES];
                let interest = Interest::READABLE;
                let read = self
                    .stream
                    .async_io(interest, || self.stream.try_read(&mut bytes));
                match read.await? {
                    0 => return Ok(Some("the server ended the connection".to_owned())),
                    count => self.scanner.take(&bytes[..count]),
                }
            }
            Scanned::Skip(count) => match self.discard(count).await? {
                0 => return Ok(Some("the server ended the connection".to_owned())),
                count => self.scanner.skipped(count as u64),
            },
            Scanned::Message(Some(flashblock)) => {
                let at_us = now_us();
                deliveries.delivered(Delivery { flashblock, at_us }, self.last);
                self.last = Some(flashblock);
            }
            Scanned::Message(None) => {}
            Scanned::Ping(content) => self.pong(&content).await?,
            Scanned::Close(code) => {
                return Ok(Some(match code {
                    Some(code) => format!("the server closed with {code}"),
                    None => "the server closed".to_owned(),
                }));
            }
            Scanned::Nonsense => return Ok(Some("what came is no WebSocket".to_owned())),
        }
        Ok(None)
    }

    /// Has the system throw away up to `count` bytes: a copy less for each of them, which leaves the
    /// processors to the server.
    async fn discard(&self, count: u64) -> io::Result<usize> {
        let count = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(DISCARD_BYTES);
        let discard = || {
            NOTHING.with_borrow_mut(|nothing| {
                let (_, discarded) = recv(&self.stream, &mut nothing[..count], RecvFlags::TRUNC)?;
                Ok(discarded)
            })
        };
        self.stream.async_io(Interest::READABLE, discard).await
    }

    /// A masked pong; the mask is zero, so the content stays as it is.
    async fn pong(&mut self, content: &[u8]) -> io::Result<()> {
        let length = content.len() as u8;
        let mut frame = vec![0x8a, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(content);
        self.stream.write_all(&frame).await
    }
}
