//! Payloads whose parent has not arrived yet.

use std::collections::VecDeque;

use alloy_primitives::B256;

use crate::ExecutionPayload;

/// A payload that waits for its parent.
#[derive(Clone, Debug)]
pub(crate) struct Orphan {
    pub(crate) payload: ExecutionPayload,
    pub(crate) parent_beacon_block_root: Option<B256>,
}

/// The newest `max` orphans; the oldest is dropped when it is full. A consensus client sends a dropped
/// one again.
#[derive(Debug)]
pub(crate) struct Orphans {
    max: usize,
    waiting: VecDeque<Orphan>,
}

impl Orphans {
    pub(crate) const fn new(max: usize) -> Self {
        Self {
            max,
            waiting: VecDeque::new(),
        }
    }

    /// Remembers a payload. Returns whether another one was dropped for it.
    pub(crate) fn insert(&mut self, orphan: Orphan) -> bool {
        let hash = orphan.payload.block_hash;
        if self
            .waiting
            .iter()
            .any(|known| known.payload.block_hash == hash)
        {
            return false;
        }
        self.waiting.push_back(orphan);
        if self.waiting.len() > self.max {
            self.waiting.pop_front();
            return true;
        }
        false
    }

    /// Takes what waits for `parent`.
    pub(crate) fn take_children(&mut self, parent: &B256) -> Vec<Orphan> {
        let (children, rest): (Vec<_>, Vec<_>) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|orphan| orphan.payload.parent_hash == *parent);
        self.waiting = rest.into();
        children
    }
}
