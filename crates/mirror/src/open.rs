//! A payload that is being sent or waits to be.

use std::collections::BTreeMap;

use blockwright_types::PayloadId;
use bytes::Bytes;

/// Flashblocks of a payload that are told apart. A block of 200 s with 50 ms has 4,000.
const INDICES_MAX: usize = 8_192;

/// Payloads before one that are remembered; more than one only where upstreams disagree.
const FOLLOWS_MAX: usize = 16;

/// What is known of a flashblock beyond its position: enough to know a second copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    /// Hash of its bytes.
    pub(crate) digest: u64,
    /// When the first copy came.
    pub(crate) at_us: u64,
}

/// A flashblock that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) print: Print,
    pub(crate) upstream: usize,
    pub(crate) frame: Bytes,
}

/// How a copy compares with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The first copy.
    New,
    /// The same bytes as the first copy, which came then.
    Same { at_us: u64 },
    /// Other bytes.
    Other,
    /// So far ahead that nothing is kept of it.
    TooFar,
}

/// A payload.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) id: PayloadId,
    pub(crate) block_number: Option<u64>,
    /// Those sent, by index.
    pub(crate) sent: Vec<Print>,
    held: BTreeMap<u64, Held>,
    /// Upstreams that contradicted an earlier copy.
    distrusted: Vec<usize>,
    /// Payloads from which upstreams came here, and whether one did without a break.
    follows: Vec<(PayloadId, bool)>,
    /// When it was heard of first.
    pub(crate) since_us: u64,
}

impl Open {
    pub(crate) const fn new(id: PayloadId, since_us: u64) -> Self {
        Self {
            id,
            block_number: None,
            sent: Vec::new(),
            held: BTreeMap::new(),
            distrusted: Vec::new(),
            follows: Vec::new(),
            since_us,
        }
    }

    /// The index to be sent next.
    pub(crate) fn next(&self) -> u64 {
        self.sent.len() as u64
    }

    /// Whether a flashblock is missing before others that are there.
    pub(crate) fn has_hole(&self) -> bool {
        !self.held.is_empty() && !self.held.contains_key(&self.next())
    }

    /// Whether the next flashblock is there.
    pub(crate) fn is_ready(&self) -> bool {
        self.held.contains_key(&self.next())
    }

    /// An upstream went from `before` to this payload, without a break or not.
    pub(crate) fn follow(&mut self, before: PayloadId, is_whole: bool) {
        if let Some((_, was_whole)) = self.follows.iter_mut().find(|(id, _)| *id == before) {
            *was_whole |= is_whole;
        } else if self.follows.len() < FOLLOWS_MAX {
            self.follows.push((before, is_whole));
        }
    }

    /// Whether an upstream came here from `before` without a break.
    pub(crate) fn is_after(&self, before: PayloadId) -> bool {
        self.follows.contains(&(before, true))
    }

    /// Payloads from which upstreams came here.
    pub(crate) fn follows(&self) -> impl Iterator<Item = PayloadId> {
        self.follows.iter().map(|(id, _)| *id)
    }

    pub(crate) fn is_distrusted(&self, upstream: usize) -> bool {
        self.distrusted.contains(&upstream)
    }

    /// Compares a copy with what is there.
    pub(crate) fn compare(&self, index: u64, digest: u64) -> Known {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        if place >= INDICES_MAX {
            return Known::TooFar;
        }
        let held = || self.held.get(&index).map(|held| held.print);
        match self.sent.get(place).copied().or_else(held) {
            None => Known::New,
            Some(print) if print.digest == digest => Known::Same { at_us: print.at_us },
            Some(_) => Known::Other,
        }
    }

    /// Keeps a first copy until it is its turn.
    pub(crate) fn hold(&mut self, index: u64, held: Held) {
        self.held.insert(index, held);
    }

    /// The next flashblock where it is there, which counts as sent.
    pub(crate) fn take_next(&mut self) -> Option<Held> {
        let held = self.held.remove(&self.next())?;
        self.sent.push(held.print);
        Some(held)
    }

    /// Lets go of what waits from an upstream that contradicted another; its bytes.
    pub(crate) fn distrust(&mut self, upstream: usize) -> usize {
        self.distrusted.push(upstream);
        let mut size_bytes = 0;
        self.held.retain(|_, held| {
            let stays = held.upstream != upstream;
            size_bytes += if stays { 0 } else { held.frame.len() };
            stays
        });
        size_bytes
    }

    /// Bytes that wait.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.values().map(|held| held.frame.len()).sum()
    }
}
