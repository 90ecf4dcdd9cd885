//! Blocks that are handed out by parent, to others than the consensus client.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_payload::payload_json;
use blockwright_seams::Host;
use blockwright_service::ReleaseError;
use blockwright_types::{OpFork, PayloadId, SealedBlock};
use bytes::Bytes;

use crate::{Requests, metrics};

/// A block that is handed out by parent.
#[derive(Clone, Debug)]
pub struct ReleasedBlock {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// Fork at its parent's timestamp.
    pub parent_fork: OpFork,
    /// The JSON of [`ExecutionPayload::of_block`](blockwright_payload::ExecutionPayload::of_block), in pieces; most of it is shared with the block.
    pub payload_json: Vec<Bytes>,
}

impl<H: Host> Requests<H> {
    /// Ends the building of the newest payload on `parent_hash` and gives its block, and the same one
    /// again to everybody who asks later ([`BuilderHandle::release`]). For blocking threads of a tokio
    /// runtime where [`Self::release_takes_time`]: a block without roots gets them here.
    ///
    /// # Errors
    /// [`ReleaseError`]; nothing is released then.
    ///
    /// [`BuilderHandle::release`]: blockwright_service::BuilderHandle::release
    pub fn release(&self, parent_hash: B256, number: u64) -> Result<ReleasedBlock, ReleaseError> {
        let release = self.builder().release(parent_hash, number)?;
        let block = release.best.block;
        if release.first {
            self.node().handed_out(&block);
        }
        Ok(ReleasedBlock {
            payload_json: self.payload_json(&block),
            block,
            parent_fork: self.chain().fork_at(release.parent_timestamp),
        })
    }

    /// The consensus client asked for a payload that is for proposers alone, and is told of none.
    pub fn withheld(&self, id: PayloadId) {
        metrics::withheld();
        tracing::debug!(%id, "engine_getPayload is disabled: the payload is for proposers alone");
    }

    /// Whether [`Self::release`] would have to compute roots first. Where it need not, it may be called
    /// anywhere in a tokio runtime.
    pub fn release_takes_time(&self, parent_hash: B256) -> bool {
        self.builder().release_takes_time(parent_hash)
    }

    /// The text of the payload of a block that is handed out.
    pub(crate) fn payload_json(&self, block: &Arc<SealedBlock>) -> Vec<Bytes> {
        let json = payload_json(block, self.chain().fork_at(block.header.timestamp));
        if self.node().head().number >= block.header.number {
            // Nobody lets go of these texts any more: the head has passed.
            for part in &block.parts {
                part.forget_transactions_json();
            }
        }
        json
    }
}
