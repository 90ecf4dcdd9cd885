//! Blocks that are shown by parent and handed out later, to others than the consensus client.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_seams::Host;
use blockwright_service::{Offer, ReleaseError, Settled};
use blockwright_types::{OpFork, SealedBlock};
use bytes::Bytes;
use revm_database_interface::DatabaseRef;

use crate::{Requests, metrics};

/// A block that is shown before it is handed out.
#[derive(Debug)]
pub struct OfferedBlock<A> {
    /// The block's fork.
    pub fork: OpFork,
    offer: Offer<A>,
}

impl<A> OfferedBlock<A> {
    /// The block.
    pub const fn block(&self) -> &Arc<SealedBlock> {
        &self.offer.best.block
    }
}

impl<H: Host> Requests<H> {
    /// The newest block on `parent_hash` as it is now; its building goes on. For blocking threads: a block
    /// without roots gets them here.
    ///
    /// # Errors
    /// [`ReleaseError`].
    pub fn offer(&self, parent_hash: B256) -> Result<OfferedBlock<H::Artifact>, ReleaseError> {
        let offer = self.builder().offer(parent_hash)?;
        Ok(OfferedBlock {
            fork: self.chain().fork_at(offer.best.block.header.timestamp),
            offer,
        })
    }

    /// Ends the building on the offered block's parent and hands that very block out, which from now on is
    /// the payload for whoever asks, unless another one was handed out before. Gives the text of its
    /// payload. For blocking threads of a tokio runtime.
    pub fn reveal(&self, offered: &OfferedBlock<H::Artifact>) -> Vec<Bytes> {
        let block = offered.block();
        match self.builder().settle(&offered.offer) {
            Settled::Here { left_out } => {
                if left_out > 0 {
                    metrics::left_out(left_out);
                    tracing::warn!(number = block.header.number, hash = %block.hash, left_out,
                        "a block was asked for by an older header: flashblocks published since are not in it");
                }
                self.node().handed_out(block);
            }
            Settled::Already => {}
            Settled::Elsewhere(hash) => {
                tracing::warn!(number = block.header.number, hash = %block.hash, other = %hash,
                    "a block was asked for by its header after another one on the same parent was handed out");
            }
        }
        self.payload_json(block)
    }

    /// By how much `block`, whose parent's state is held, increases the balance of `account`; zero where it
    /// decreases it. `None` where the parent's state is not held any more, or cannot be read.
    pub fn balance_increase(&self, block: &SealedBlock, account: Address) -> Option<U256> {
        let before = self.inner.deps.host.reader(block.header.parent_hash).ok()?;
        let pieces = block.parts.iter().flat_map(|part| part.changes.iter());
        let Some(change) = pieces.rev().find_map(|piece| piece.accounts.get(&account)) else {
            return Some(U256::ZERO);
        };
        let before = before.basic_ref(account).ok()?;
        let before = before.map_or(U256::ZERO, |account| account.balance);
        let after = change.post.map_or(U256::ZERO, |post| post.balance);
        Some(after.saturating_sub(before))
    }
}
