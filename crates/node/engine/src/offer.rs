//! Blocks that are shown by parent and handed out later, to others than the consensus client.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_service::{Offer, ReleaseError, Settled};
use blockwright_state::TrieDelta;
use blockwright_types::{OpFork, SealedBlock};
use bytes::Bytes;

use crate::{Engine, metrics};

/// A block that is shown before it is handed out.
#[derive(Debug)]
pub struct OfferedBlock {
    /// The block's fork.
    pub fork: OpFork,
    offer: Offer<TrieDelta>,
}

impl OfferedBlock {
    /// The block.
    pub const fn block(&self) -> &Arc<SealedBlock> {
        &self.offer.best.block
    }
}

impl Engine {
    /// The newest block on `parent_hash` as it is now; its building goes on. For blocking threads: a block
    /// without roots gets them here.
    ///
    /// # Errors
    /// [`ReleaseError`].
    pub fn offer(&self, parent_hash: B256) -> Result<OfferedBlock, ReleaseError> {
        let offer = self.inner.builder.offer(parent_hash)?;
        Ok(OfferedBlock {
            fork: self.chain().fork_at(offer.best.block.header.timestamp),
            offer,
        })
    }

    /// Ends the building on the offered block's parent and hands that very block out, which from now on is
    /// the payload for whoever asks, unless another one was handed out before. Gives the text of its
    /// payload. For blocking threads of a tokio runtime.
    pub fn reveal(&self, offered: &OfferedBlock) -> Vec<Bytes> {
        let block = offered.block();
        match self.inner.builder.settle(&offered.offer) {
            Settled::Here { left_out } => {
                if left_out > 0 {
                    metrics::left_out(left_out);
                    tracing::warn!(number = block.header.number, hash = %block.hash, left_out,
                        "a block was asked for by an older header: flashblocks published since are not in it");
                }
                self.inner.write_ahead(block);
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
    /// decreases it. `None` where the parent's state is not held any more.
    pub fn balance_increase(&self, block: &SealedBlock, account: Address) -> Option<U256> {
        let before = self.store().reader(block.header.parent_hash)?;
        let pieces = block.parts.iter().flat_map(|part| part.changes.iter());
        let Some(change) = pieces.rev().find_map(|piece| piece.accounts.get(&account)) else {
            return Some(U256::ZERO);
        };
        let before = before.account(&account).map(|post| post.balance);
        let after = change.post.map(|post| post.balance);
        Some(
            after
                .unwrap_or_default()
                .saturating_sub(before.unwrap_or_default()),
        )
    }
}
