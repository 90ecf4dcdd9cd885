//! Payloads whose parent has not arrived yet.

use std::collections::VecDeque;

use alloy_primitives::B256;

use crate::ExecutionPayload;

/// A payload as handed in.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) payload: ExecutionPayload,
    pub(crate) parent_beacon_block_root: Option<B256>,
}

impl Incoming {
    fn size_bytes(&self) -> usize {
        self.payload.transactions.iter().map(|tx| tx.len()).sum()
    }
}

/// The newest orphans, bounded in number and size; the oldest is forgotten when there is no room. A
/// consensus client sends a forgotten one again.
#[derive(Debug)]
pub(crate) struct Orphans {
    count_max: usize,
    size_bytes_max: usize,
    size_bytes: usize,
    waiting: VecDeque<Incoming>,
}

impl Orphans {
    pub(crate) const fn new(count_max: usize, size_bytes_max: usize) -> Self {
        Self {
            count_max,
            size_bytes_max,
            size_bytes: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Remembers a payload. Returns how many were forgotten for it.
    pub(crate) fn insert(&mut self, orphan: Incoming) -> u64 {
        let hash = orphan.payload.block_hash;
        if self
            .waiting
            .iter()
            .any(|known| known.payload.block_hash == hash)
        {
            return 0;
        }
        self.size_bytes += orphan.size_bytes();
        self.waiting.push_back(orphan);
        let mut forgotten = 0;
        while self.waiting.len() > self.count_max || self.size_bytes > self.size_bytes_max {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.size_bytes -= oldest.size_bytes();
            forgotten += 1;
        }
        forgotten
    }

    pub(crate) fn has_children(&self, parent: &B256) -> bool {
        self.waiting
            .iter()
            .any(|orphan| orphan.payload.parent_hash == *parent)
    }

    /// Takes what waits for `parent`.
    pub(crate) fn take_children(&mut self, parent: &B256) -> Vec<Incoming> {
        let (children, rest): (Vec<_>, Vec<_>) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|orphan| orphan.payload.parent_hash == *parent);
        self.waiting = rest.into();
        self.size_bytes -= children.iter().map(Incoming::size_bytes).sum::<usize>();
        children
    }
}
