//! A payload that is being sent or waits to be.

use std::collections::BTreeMap;

use blockwright_types::PayloadId;
use bytes::Bytes;

/// Flashblocks of a payload that are told apart. A block of 200 s with 50 ms has 4,000.
pub(crate) const INDICES_MAX: usize = 8_192;

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

/// An upstream went from one payload to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Testimony {
    /// The payload that it left.
    pub(crate) before: PayloadId,
    /// The last flashblock that it sent there.
    pub(crate) last_index: u64,
    pub(crate) upstream: usize,
    /// It missed nothing on the way.
    pub(crate) is_whole: bool,
}

/// A payload.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) id: PayloadId,
    pub(crate) block_number: Option<u64>,
    /// Those sent, by index.
    pub(crate) sent: Vec<Print>,
    held: BTreeMap<u64, Held>,
    /// How upstreams came here, each of them at most once.
    follows: Vec<Testimony>,
    /// Upstreams that sent something of it.
    senders: Vec<usize>,
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
            follows: Vec::new(),
            senders: Vec::new(),
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

    /// An upstream came here from another payload. Its last word counts, except that a later broken way
    /// from the same payload takes nothing back.
    pub(crate) fn follow(&mut self, testimony: Testimony) {
        let mut follows = self.follows.iter_mut();
        match follows.find(|known| known.upstream == testimony.upstream) {
            Some(known) if known.before == testimony.before && known.is_whole => {}
            Some(known) => *known = testimony,
            None => self.follows.push(testimony),
        }
    }

    /// An upstream is at `payload` again, so that it has not left it.
    pub(crate) fn withdraw(&mut self, upstream: usize, payload: PayloadId) {
        let is_it = |known: &Testimony| known.upstream == upstream && known.before == payload;
        self.follows.retain(|known| !is_it(known));
    }

    /// Upstreams that came here from `before` without a break, after its first `length` flashblocks.
    pub(crate) fn witnesses(&self, before: PayloadId, length: u64) -> impl Iterator<Item = usize> {
        let follows = self.follows.iter();
        let whole = follows.filter(move |known| {
            known.is_whole
                && known.before == before
                && known.last_index.checked_add(1) == Some(length)
        });
        whole.map(|known| known.upstream)
    }

    /// Payloads from which upstreams came here.
    pub(crate) fn follows(&self) -> impl Iterator<Item = PayloadId> {
        self.follows.iter().map(|known| known.before)
    }

    /// An upstream sent something of it.
    pub(crate) fn came_from(&mut self, upstream: usize) {
        if !self.senders.contains(&upstream) {
            self.senders.push(upstream);
        }
    }

    /// Upstreams that sent something of it.
    pub(crate) fn senders(&self) -> impl Iterator<Item = usize> {
        self.senders.iter().copied()
    }

    /// Whether upstreams came here and to the other one from the same payload, without a break.
    pub(crate) fn is_rival(&self, other: &Self) -> bool {
        let whole = |open: &Self| {
            open.follows
                .clone()
                .into_iter()
                .filter(|known| known.is_whole)
        };
        whole(self).any(|known| whole(other).any(|theirs| theirs.before == known.before))
    }

    /// How many upstreams sent something of it.
    pub(crate) const fn sender_count(&self) -> usize {
        self.senders.len()
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

    /// Bytes that wait.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.values().map(|held| held.frame.len()).sum()
    }
}
