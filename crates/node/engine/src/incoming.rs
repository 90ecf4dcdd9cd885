//! A payload as a consensus client hands it in.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use blockwright_types::{OpFork, SealedBlock};

use crate::ExecutionPayload;

/// A payload as handed in.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    /// Its list of transactions is empty where they are those of `own`.
    pub(crate) payload: ExecutionPayload,
    pub(crate) parent_beacon_block_root: Option<B256>,
    /// A block of ours whose transactions the payload was found to have.
    own: Option<Arc<SealedBlock>>,
}

impl Incoming {
    pub(crate) const fn new(
        payload: ExecutionPayload,
        parent_beacon_block_root: Option<B256>,
    ) -> Self {
        Self {
            payload,
            parent_beacon_block_root,
            own: None,
        }
    }

    /// The same payload, whose transactions are those of `own`.
    pub(crate) fn with_those_of(mut self, own: &Arc<SealedBlock>) -> Self {
        self.payload.transactions = Vec::new();
        self.own = Some(Arc::clone(own));
        self
    }

    /// The transactions that were handed in by value.
    pub(crate) fn transactions(&self) -> &[Bytes] {
        &self.payload.transactions
    }

    /// The payload with its transactions in place.
    pub(crate) fn in_full(mut self) -> Self {
        if let Some(own) = self.own.take() {
            self.payload.transactions = ExecutionPayload::transactions_of(&own);
        }
        self
    }

    /// Whether this is exactly the payload of `block`, which is of `fork`.
    pub(crate) fn is_of(&self, block: &Arc<SealedBlock>, fork: OpFork) -> bool {
        block.header.parent_beacon_block_root == self.parent_beacon_block_root
            && self.payload.has_fields_of(block, fork)
            && match &self.own {
                // The same hash over the same header fields: the same transactions.
                Some(own) => own.hash == block.hash,
                None => self.payload.has_transactions_of(block),
            }
    }

    /// Bytes of its transactions.
    pub(crate) fn size_bytes(&self) -> usize {
        self.payload.transactions.iter().map(|tx| tx.len()).sum()
    }
}
