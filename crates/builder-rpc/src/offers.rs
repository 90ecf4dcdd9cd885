//! The headers that were handed out: each of their blocks can be had.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_builder_codec::PayloadFork;
use blockwright_signer::BlsPublicKey;
use serde_json::value::RawValue;

use crate::OfferedBlock;
use crate::header::HeaderFields;

/// Parents whose blocks are kept, whatever came of them.
const PARENTS_MAX: usize = 4;
/// Blocks that are kept on them; a block has a state for each of its flashblocks.
const BLOCKS_MAX: usize = 1_024;
/// Proposers that one header is handed out to.
const PROPOSERS_MAX: usize = 16;

/// A block whose header was handed out.
#[derive(Clone)]
pub(crate) struct Offered {
    pub(crate) block: Arc<dyn OfferedBlock>,
    pub(crate) header: Arc<HeaderFields>,
    /// Hash tree root of the header.
    pub(crate) header_root: B256,
    /// Whom it was handed out to, the newest last.
    pub(crate) to: Vec<HandedOut>,
}

/// A header as one proposer was given it.
#[derive(Clone)]
pub(crate) struct HandedOut {
    pub(crate) proposer: BlsPublicKey,
    pub(crate) fee_recipient: Address,
    pub(crate) value: U256,
    pub(crate) json: Arc<RawValue>,
}

impl Offered {
    pub(crate) fn hash(&self) -> B256 {
        self.block.block().hash
    }

    fn parent(&self) -> B256 {
        self.block.block().header.parent_hash
    }

    pub(crate) fn fork(&self) -> PayloadFork {
        self.header.fork
    }

    /// What `proposer` was answered, if the answer is still the same.
    pub(crate) fn answer(
        &self,
        proposer: BlsPublicKey,
        fee_recipient: Address,
        value: U256,
    ) -> Option<Arc<RawValue>> {
        let given = self.to.iter().find(|given| {
            given.proposer == proposer
                && given.fee_recipient == fee_recipient
                && given.value == value
        });
        given.map(|given| Arc::clone(&given.json))
    }
}

/// The blocks whose headers were handed out, oldest first; bounded.
#[derive(Default)]
pub(crate) struct Offers {
    blocks: VecDeque<Offered>,
}

impl Offers {
    pub(crate) fn get(&self, hash: B256) -> Option<&Offered> {
        self.blocks
            .iter()
            .rev()
            .find(|offered| offered.hash() == hash)
    }

    pub(crate) fn count(&self) -> usize {
        self.blocks.len()
    }

    /// Adds what a proposer was given. Returns blocks that are kept no longer, for the caller to drop: they
    /// may be large.
    pub(crate) fn add(&mut self, offered: Offered, given: HandedOut) -> Vec<Offered> {
        let hash = offered.hash();
        let known = self.blocks.iter_mut().find(|known| known.hash() == hash);
        if let Some(known) = known {
            known.to.retain(|old| old.proposer != given.proposer);
            if known.to.len() >= PROPOSERS_MAX {
                known.to.remove(0);
            }
            known.to.push(given);
            return Vec::new();
        }
        self.blocks.push_back(Offered {
            to: vec![given],
            ..offered
        });
        let mut gone = Vec::new();
        while self.blocks.len() > BLOCKS_MAX || self.parents() > PARENTS_MAX {
            gone.extend(self.blocks.pop_front());
        }
        gone
    }

    fn parents(&self) -> usize {
        let mut parents: Vec<B256> = self.blocks.iter().map(Offered::parent).collect();
        parents.sort_unstable();
        parents.dedup();
        parents.len()
    }
}
