//! The last frames, numbered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::RingLimits;
use crate::entry::Entry;
use crate::position::{LastSeen, Position};

/// One step of the stream.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// The next flashblock.
    Frame(Arc<Entry>),
    /// Flashblocks were lost: what follows does not continue what came before.
    Gap,
}

/// Bytes that are let go of with `item`, where `next` comes behind it: its frames, and with the last
/// one of a payload the flashblocks of all of it.
fn freed_bytes(item: &Item, next: Option<&Item>) -> usize {
    let Item::Frame(entry) = item else { return 0 };
    let goes_on = matches!(next, Some(Item::Frame(next)) if next.shares_payload(entry));
    let payload_bytes = if goes_on { 0 } else { entry.payload_bytes() };
    entry.frames_bytes() + payload_bytes
}

/// What is at a number.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Item(&'a Item),
    NotYet,
    Gone,
}

/// The last items. Their numbers count up by one and are never used twice, so whoever keeps a number
/// reads each item once. The current block and the one before stay whatever their size: a newcomer
/// needs the one, whoever is a little behind the other.
#[derive(Debug)]
pub(crate) struct Ring {
    limits: RingLimits,
    items: VecDeque<Item>,
    /// Number of the oldest item.
    first: u64,
    /// Bytes held when the last frame was added. Frames are made in further forms while they are
    /// here, so it is counted anew each time.
    size_bytes: usize,
    /// Number of the current block's index 0; `None` before the first and after a loss.
    current: Option<u64>,
    /// Nothing from this number on is let go of.
    kept_from: u64,
}

impl Ring {
    pub(crate) const fn new(limits: RingLimits) -> Self {
        Self {
            limits,
            items: VecDeque::new(),
            first: 0,
            size_bytes: 0,
            current: None,
            kept_from: 0,
        }
    }

    /// The number that the next item will have.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Where a newcomer begins: at the current block's index 0.
    pub(crate) fn block_start(&self) -> u64 {
        self.current.unwrap_or_else(|| self.end())
    }

    pub(crate) const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn get(&self, number: u64) -> Found<'_> {
        let Some(offset) = number.checked_sub(self.first) else {
            return Found::Gone;
        };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        self.items.get(offset).map_or(Found::NotYet, Found::Item)
    }

    /// Adds a frame; index 0 opens a new current block. Returns what had to make room.
    pub(crate) fn push(&mut self, entry: Arc<Entry>) -> Vec<Arc<Entry>> {
        let now = entry.at;
        if entry.position.index == 0 {
            let number = self.end();
            self.kept_from = self.current.replace(number).unwrap_or(number);
        }
        self.items.push_back(Item::Frame(entry));
        self.evict(now)
    }

    /// Marks a loss. The broken block is not replayed to newcomers.
    pub(crate) fn push_gap(&mut self) {
        self.kept_from = self.current.take().unwrap_or(self.kept_from);
        self.items.push_back(Item::Gap);
    }

    /// Bytes held now.
    fn count(&self) -> usize {
        let behind = self.items.iter().skip(1).map(Some).chain([None]);
        let items = self.items.iter().zip(behind);
        items.map(|(item, next)| freed_bytes(item, next)).sum()
    }

    fn evict(&mut self, now: Instant) -> Vec<Arc<Entry>> {
        let mut evicted = Vec::new();
        self.size_bytes = self.count();
        while self.first < self.kept_from {
            let too_old = match self.items.front() {
                Some(Item::Frame(entry)) => now.duration_since(entry.at) > self.limits.age,
                // Nobody can resume in front of it any more.
                Some(Item::Gap) => true,
                None => break,
            };
            let too_many = self.items.len() > self.limits.frames_max
                || self.size_bytes > self.limits.size_bytes_max;
            if !too_old && !too_many {
                break;
            }
            self.first += 1;
            if let Some(item) = self.items.pop_front() {
                // It may have grown since it was counted.
                let freed_bytes = freed_bytes(&item, self.items.front());
                self.size_bytes = self.size_bytes.saturating_sub(freed_bytes);
                if let Item::Frame(entry) = item {
                    evicted.push(entry);
                }
            }
        }
        evicted
    }

    /// The number that follows what a subscriber has; `None` where that is not held.
    ///
    /// Where two payloads for the same block number fit what it says, nobody can tell which of them
    /// it read: it gets the later one from its index 0, which leaves no hole in either.
    pub(crate) fn after(&self, seen: &LastSeen) -> Option<u64> {
        let mut held =
            self.items
                .iter()
                .enumerate()
                .rev()
                .filter_map(|(offset, item)| match item {
                    Item::Frame(entry) if seen.is(&entry.position) => {
                        Some((offset, entry.position))
                    }
                    Item::Frame(_) | Item::Gap => None,
                });
        let (offset, position) = held.next()?;
        let number = self.first + offset as u64;
        if held.any(|(_, other)| other.payload_id != position.payload_id) {
            let start = number.checked_sub(position.index);
            return start.filter(|start| *start >= self.first);
        }
        // A loss that comes next is known to whoever resumes behind it: there is nothing to tell.
        let lost = matches!(self.items.get(offset + 1), Some(Item::Gap));
        Some(number + 1 + u64::from(lost))
    }

    /// The oldest and the newest position held.
    pub(crate) fn span(&self) -> Option<(Position, Position)> {
        let frame = |item: &Item| match item {
            Item::Frame(entry) => Some(entry.position),
            Item::Gap => None,
        };
        let oldest = self.items.iter().find_map(frame)?;
        let newest = self.items.iter().rev().find_map(frame)?;
        Some((oldest, newest))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
