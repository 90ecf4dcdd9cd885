//! The payload ids given out lately, with the timestamps that decide which method may ask for them.

use std::collections::VecDeque;

use blockwright_types::PayloadId;

/// Payloads remembered; one block's worth is enough, the rest is for consensus clients that are late.
const REMEMBERED: usize = 128;

/// The newest payload ids; the oldest is forgotten when it is full.
#[derive(Debug, Default)]
pub(crate) struct Payloads(VecDeque<(PayloadId, u64)>);

impl Payloads {
    pub(crate) fn insert(&mut self, id: PayloadId, timestamp: u64) {
        if self.timestamp(id).is_some() {
            return;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((id, timestamp));
    }

    pub(crate) fn timestamp(&self, id: PayloadId) -> Option<u64> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| *known == id)
            .map(|(_, timestamp)| *timestamp)
    }
}
