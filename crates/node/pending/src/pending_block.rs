//! One snapshot: a block as far as its flashblocks go, with the state after them.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use blockwright_state::StateReader;
use blockwright_types::{BlockContext, BlockPart, PayloadId, SealedBlock};

use crate::StateView;
use crate::layer::Layer;

/// A block as it grows, with the state after its last flashblock. Immutable and shared.
#[derive(Clone, Debug)]
pub struct PendingBlock {
    /// The payload that its flashblocks belong to.
    pub payload_id: PayloadId,
    /// Index of the last flashblock in it.
    pub index: u64,
    /// The environment the block is executed in, and calls on it run in.
    pub context: BlockContext,
    /// The block so far. State root and hash are zero where the flashblock has no roots; the value is
    /// not known and zero.
    pub block: Arc<SealedBlock>,
    /// The parent where that is itself preconfirmed and was not stored when this block began.
    pub parent: Option<Arc<Self>>,
    view: StateView,
}

/// What one flashblock makes of the block.
#[derive(Clone, Debug)]
pub struct Growth {
    /// Header of the block so far.
    pub header: Header,
    /// Its hash; zero where the flashblock has no roots.
    pub hash: B256,
    /// What the flashblock adds.
    pub part: Arc<BlockPart>,
}

/// What a block begins on.
#[derive(Clone, Debug)]
pub enum Ground {
    /// The state after its parent, which is stored.
    Stored(StateReader),
    /// Its parent, which is preconfirmed, while the state after it is held already: its layers need
    /// not be read through.
    Held {
        /// The state after the parent.
        state: StateReader,
        /// The parent.
        parent: Arc<PendingBlock>,
    },
    /// Its parent, which is preconfirmed. The environment's `parent_hash` names it, whether or not its
    /// last flashblock had roots.
    Preconfirmed(Arc<PendingBlock>),
}

impl PendingBlock {
    /// A block with its flashblock 0.
    pub fn first(
        payload_id: PayloadId,
        context: BlockContext,
        ground: Ground,
        growth: Growth,
    ) -> Self {
        let (view, parent) = match ground {
            Ground::Stored(reader) => (StateView::from(reader), None),
            Ground::Held { state, parent } => (StateView::from(state), Some(parent)),
            Ground::Preconfirmed(parent) => {
                let number = parent.context.number;
                let view = parent.view.below_child(number, context.parent_hash);
                (view, Some(parent))
            }
        };
        Self {
            payload_id,
            index: 0,
            view: view.under(Layer::new(Arc::clone(&growth.part), 0, growth.hash)),
            block: Arc::new(sealed(growth, &[])),
            context,
            parent,
        }
    }

    /// The same block with its next flashblock.
    pub fn grown(&self, growth: Growth) -> Self {
        let first = self.view.newest(1).first().map_or(0, |layer| layer.end());
        Self {
            payload_id: self.payload_id,
            index: self.index + 1,
            context: self.context.clone(),
            view: self
                .view
                .under(Layer::new(Arc::clone(&growth.part), first, growth.hash)),
            block: Arc::new(sealed(growth, &self.block.parts)),
            parent: self.parent.clone(),
        }
    }

    /// The state after the last flashblock.
    pub fn state(&self) -> StateView {
        self.view.clone()
    }

    /// Position in the block of a transaction; `None` where it is not in it.
    pub fn transaction(&self, hash: &B256) -> Option<usize> {
        let layers = self.view.newest(self.block.parts.len()).iter();
        layers.filter_map(|layer| layer.transaction(hash)).next()
    }

    /// Hash of the block that ended with the flashblock that brought the transaction at `position`;
    /// zero where that flashblock has no roots, `None` where there is no such transaction.
    pub fn hash_when_preconfirmed(&self, position: usize) -> Option<B256> {
        let layers = self.view.newest(self.block.parts.len()).iter().rev();
        let mut holding = layers.skip_while(|layer| layer.end() <= position);
        holding.next().map(|layer| layer.hash())
    }

    /// What the last flashblock added.
    pub fn newest_part(&self) -> &Arc<BlockPart> {
        // Made of at least one flashblock, always.
        &self.block.parts[self.block.parts.len() - 1]
    }

    /// Position in the block of the first transaction that the last flashblock added.
    pub fn newest_position(&self) -> usize {
        self.block.transaction_count() - self.newest_part().transactions.len()
    }

    /// This block, and below it those preconfirmed ancestors that were not stored when it began.
    pub fn lineage(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |block| block.parent.as_deref())
    }
}

fn sealed(growth: Growth, before: &[Arc<BlockPart>]) -> SealedBlock {
    let newest = std::iter::once(growth.part);
    SealedBlock {
        header: growth.header,
        hash: growth.hash,
        parts: before.iter().cloned().chain(newest).collect(),
        value: U256::ZERO,
    }
}
