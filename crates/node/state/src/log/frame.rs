//! Records as bytes: length, checksum, place in the sequence.
//!
//! ```text
//! length u32 | crc32 u32 | sequence u64 | batch u64 | kind u8 | payload
//! ```
//! All numbers little-endian; `length` is that of the payload; the checksum covers everything after
//! itself and the length. `batch` is the sequence number of the first record that was synced
//! together with this one. A batch is written only after the one before it was synced: so a record
//! whose `batch` is above `n` proves that record `n` had been durable, which tells damage from a
//! torn tail.

/// Bytes before the payload.
pub(super) const HEADER_BYTES: usize = 25;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A block that becomes canonical with the next fork choice.
    Block,
    /// Head, safe and finalized block: the point at which everything before counts.
    ForkChoice,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Block => 1,
            Self::ForkChoice => 2,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Block),
            2 => Some(Self::ForkChoice),
            _ => None,
        }
    }
}

/// A record's place and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) sequence: u64,
    pub(super) batch: u64,
    pub(super) kind: Kind,
}

/// A record as read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) stamp: Stamp,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    pub(super) const fn len(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }

    /// The record that begins at the start of `bytes`; `None` where there is no sound one.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let length = u32_at(bytes, 0)? as usize;
        let kind = Kind::from_byte(*bytes.get(24)?)?;
        let (sequence, batch) = (u64_at(bytes, 8)?, u64_at(bytes, 16)?);
        if length == 0 || batch > sequence {
            return None;
        }
        let end = HEADER_BYTES.checked_add(length)?;
        if crc32fast::hash(bytes.get(8..end)?) != u32_at(bytes, 4)? {
            return None;
        }
        Some(Self {
            stamp: Stamp {
                sequence,
                batch,
                kind,
            },
            payload: bytes.get(HEADER_BYTES..end)?,
        })
    }
}

/// What comes before the payload of a record. The payload must not be empty.
pub(super) fn header(stamp: Stamp, payload: &[u8]) -> [u8; HEADER_BYTES] {
    let mut out = [0; HEADER_BYTES];
    // A block's parts are limited by gas and the Engine API's request size, far below 4 GiB.
    let length = u32::try_from(payload.len()).expect("a record is below 4 GiB");
    out[..4].copy_from_slice(&length.to_le_bytes());
    out[8..16].copy_from_slice(&stamp.sequence.to_le_bytes());
    out[16..24].copy_from_slice(&stamp.batch.to_le_bytes());
    out[24] = stamp.kind.byte();
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&out[8..]);
    checksum.update(payload);
    out[4..8].copy_from_slice(&checksum.finalize().to_le_bytes());
    out
}

/// Whether anything in `bytes` proves that record `sequence` had been durable.
pub(super) fn proves_durable(bytes: &[u8], sequence: u64) -> bool {
    let used = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    (0..used).any(|start| {
        let rest = &bytes[start..];
        u64_at(rest, 16).is_some_and(|batch| batch > sequence) && Frame::read(rest).is_some()
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    field.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at + 8)?;
    field.try_into().ok().map(u64::from_le_bytes)
}
