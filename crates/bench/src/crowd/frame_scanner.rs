//! Tells a server's WebSocket frames apart without keeping what is in them (RFC 6455, section 5.2).

use crate::FlashblockKey;

/// So much of a payload is looked at for the flashblock's key: it stands at its beginning.
const LOOKED_AT_BYTES: usize = 96;

/// Room for what is looked at, and for a control frame.
pub(crate) const READ_BYTES: usize = 256;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// More bytes are needed: [`FrameScanner::take`].
    Read,
    /// The next so many bytes mean nothing: [`FrameScanner::skipped`].
    Skip(u64),
    /// A message has ended; its key, where it has one.
    Message(Option<FlashblockKey>),
    /// To be answered with a pong of the same content.
    Ping(Vec<u8>),
    /// The server says goodbye, with its code.
    Close(Option<u16>),
    /// This is no WebSocket.
    Nonsense,
}

/// One connection's frames.
#[derive(Debug, Default)]
pub(crate) struct FrameScanner {
    ahead: Vec<u8>,
    /// Bytes left of the data frame at hand.
    left: Option<u64>,
    is_last: bool,
    key: Option<FlashblockKey>,
}

impl FrameScanner {
    /// Takes in bytes as they came.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.ahead.extend_from_slice(bytes);
    }

    /// So many bytes were thrown away, at most as many as were to be.
    pub(crate) fn skipped(&mut self, count: u64) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(count);
        }
    }

    /// What to do next.
    pub(crate) fn next(&mut self) -> Scanned {
        loop {
            if let Some(left) = self.left {
                let at_hand = self
                    .ahead
                    .len()
                    .min(usize::try_from(left).unwrap_or(usize::MAX));
                self.ahead.drain(..at_hand);
                let left = left - at_hand as u64;
                self.left = Some(left);
                if left > 0 {
                    return Scanned::Skip(left);
                }
                self.left = None;
                if self.is_last {
                    return Scanned::Message(self.key.take());
                }
            }
            let Some(header) = Header::parse(&self.ahead) else {
                return Scanned::Read;
            };
            if header.is_masked || (header.is_control() && header.payload > 125) {
                return Scanned::Nonsense;
            }
            let looked_at = if header.is_control() {
                header.payload as usize
            } else {
                LOOKED_AT_BYTES.min(usize::try_from(header.payload).unwrap_or(usize::MAX))
            };
            let Some(payload) = self.ahead.get(header.bytes..header.bytes + looked_at) else {
                return Scanned::Read;
            };
            if !header.is_control() {
                self.key = self.key.or_else(|| key(payload));
                self.is_last = header.is_last;
                self.left = Some(header.payload);
                self.ahead.drain(..header.bytes);
                continue;
            }
            let payload = payload.to_vec();
            self.ahead.drain(..header.bytes + looked_at);
            match header.opcode {
                8 => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    return Scanned::Close(code);
                }
                9 => return Scanned::Ping(payload),
                _ => {}
            }
        }
    }
}

struct Header {
    opcode: u8,
    is_last: bool,
    is_masked: bool,
    /// Its own length.
    bytes: usize,
    payload: u64,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else {
            return None;
        };
        let (length_bytes, payload) = match second & 0x7f {
            126 => (2, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (8, u64::from_be_bytes(*rest.first_chunk()?)),
            short => (0, u64::from(short)),
        };
        Some(Self {
            opcode: first & 0x0f,
            is_last: first & 0x80 != 0,
            is_masked: second & 0x80 != 0,
            bytes: 2 + length_bytes,
            payload,
        })
    }

    const fn is_control(&self) -> bool {
        self.opcode >= 8
    }
}

/// The key at the beginning of a `v1` frame.
fn key(payload: &[u8]) -> Option<FlashblockKey> {
    let text = std::str::from_utf8(payload).ok()?;
    let (_, after) = text.split_once("\"payload_id\":\"0x")?;
    let (payload_id, after) = after.split_once('"')?;
    let (_, after) = after.split_once("\"index\":")?;
    let digits = after.find(|digit: char| !digit.is_ascii_digit())?;
    Some(FlashblockKey {
        payload_id: u64::from_str_radix(payload_id, 16).ok()?,
        index: after[..digits].parse().ok()?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        match payload.len() {
            short @ ..126 => bytes.push(short as u8),
            middle @ ..=0xffff => {
                bytes.push(126);
                bytes.extend((middle as u16).to_be_bytes());
            }
            long => {
                bytes.push(127);
                bytes.extend((long as u64).to_be_bytes());
            }
        }
        bytes.extend(payload);
        bytes
    }

    fn flashblock(index: u32, bytes: usize) -> Vec<u8> {
        let mut text =
            format!("{{\"payload_id\":\"0x00000000000000ff\",\"index\":{index},\"x\":\"");
        text.extend(std::iter::repeat_n('y', bytes));
        text.into_bytes()
    }

    /// All that a server sent, read in pieces of `step` bytes, skipping as a socket would.
    fn scan(mut wire: &[u8], step: usize) -> Vec<Scanned> {
        let mut scanner = FrameScanner::default();
        let mut seen = Vec::new();
        loop {
            match scanner.next() {
                Scanned::Read if wire.is_empty() => return seen,
                Scanned::Read => {
                    let (now, rest) = wire.split_at(step.min(wire.len()));
                    scanner.take(now);
                    wire = rest;
                }
                Scanned::Skip(count) => {
                    let count = (count as usize).min(wire.len()).min(step);
                    assert!(count > 0, "the frame is longer than the wire");
                    wire = &wire[count..];
                    scanner.skipped(count as u64);
                }
                other => seen.push(other),
            }
        }
    }

    #[test]
    fn frames_are_told_apart_however_they_arrive() {
        let mut wire = frame(1, &flashblock(0, 40));
        wire.extend(frame(9, b"are you there"));
        wire.extend(frame(1, &flashblock(1, 5_000)));
        wire.extend(frame(10, b""));
        wire.extend(frame(2, &flashblock(2, 70_000)));
        wire.extend(frame(1, b"{}"));
        wire.extend(frame(8, &1013_u16.to_be_bytes()));
        let key = |index| {
            Scanned::Message(Some(FlashblockKey {
                payload_id: 0xff,
                index,
            }))
        };
        let expected = vec![
            key(0),
            Scanned::Ping(b"are you there".to_vec()),
            key(1),
            key(2),
            Scanned::Message(None),
            Scanned::Close(Some(1013)),
        ];
        for step in [1, 2, 3, 100, READ_BYTES, 4_096, 1_000_000] {
            assert_eq!(scan(&wire, step), expected, "{step} bytes at a time");
        }
    }

    #[test]
    fn a_message_in_pieces_ends_with_the_last_one() {
        let whole = flashblock(7, 300);
        let (first, last) = whole.split_at(200);
        let mut wire = frame(1, first);
        wire[0] = 1;
        wire.extend(frame(0, last));
        let seen = scan(&wire, 50);
        assert_eq!(seen.len(), 1);
        assert!(matches!(&seen[0], Scanned::Message(Some(key)) if key.index == 7));
    }

    #[test]
    fn what_is_no_websocket_is_said_so() {
        let mut masked = frame(1, b"{}");
        masked[1] |= 0x80;
        let mut scanner = FrameScanner::default();
        scanner.take(&masked);
        assert_eq!(scanner.next(), Scanned::Nonsense);
    }
}
