//! Flashblocks by the payload they belong to.

use std::collections::BTreeMap;

use alloy_primitives::map::HashMap;

use super::parse::Flashblock;
use crate::BlockRecord;

/// The flashblocks of one payload.
#[derive(Debug, Default)]
pub(super) struct Stream<'a> {
    /// All in order of arrival, repetitions included.
    pub(super) arrived: Vec<&'a Flashblock>,
    /// Of each index what came first.
    pub(super) first: BTreeMap<u64, &'a Flashblock>,
    /// What came later for the same index with another content.
    pub(super) contradicting: Vec<&'a Flashblock>,
    /// How many came again with the same content.
    pub(super) repeated: u64,
    /// How many first ones did not follow the highest index before them.
    pub(super) gaps: u64,
}

/// All payloads of a run.
#[derive(Debug)]
pub(super) struct Streams<'a> {
    by_payload: HashMap<[u8; 8], Stream<'a>>,
}

impl<'a> Stream<'a> {
    fn add(&mut self, flashblock: &'a Flashblock) {
        self.arrived.push(flashblock);
        if let Some(before) = self.first.get(&flashblock.index) {
            if before.content == flashblock.content {
                self.repeated += 1;
            } else {
                self.contradicting.push(flashblock);
            }
            return;
        }
        let next = self
            .first
            .last_key_value()
            .map_or(0, |(highest, _)| highest + 1);
        self.gaps += u64::from(flashblock.index != next);
        self.first.insert(flashblock.index, flashblock);
    }

    /// Different indices above 0.
    pub(super) fn indices_filled(&self) -> u64 {
        self.first.range(1..).count() as u64
    }

    /// Everything that was ever promised for the payload, contradictions included.
    pub(super) fn promised(&self) -> impl Iterator<Item = &'a Flashblock> + '_ {
        self.first.values().chain(&self.contradicting).copied()
    }
}

impl<'a> Streams<'a> {
    /// Groups flashblocks that stand in order of arrival.
    pub(super) fn new(flashblocks: &'a [Flashblock]) -> Self {
        let mut by_payload = HashMap::<[u8; 8], Stream<'a>>::default();
        for flashblock in flashblocks {
            let stream = by_payload.entry(flashblock.payload_id).or_default();
            stream.add(flashblock);
        }
        Self { by_payload }
    }

    /// Those of a block; `None` where none came.
    pub(super) fn of(&self, block: &BlockRecord) -> Option<&Stream<'a>> {
        self.by_payload.get(&block.payload_id)
    }

    /// Those of all payloads, resolved or not, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Stream<'a>> {
        self.by_payload.values()
    }
}
