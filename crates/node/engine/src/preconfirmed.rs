//! Blocks that were executed before a consensus client handed them in.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_state::TrieDelta;
use blockwright_types::SealedBlock;

/// Knows blocks that were executed ahead of their payloads: whoever follows a stream of flashblocks
/// does. What it gives is as good as an import: every transaction ran, every root was computed, and
/// the header's hash is the block's.
pub trait Preconfirmed: Send + Sync + 'static {
    /// The block with this hash and its state; `None` where it was not executed, or is no longer
    /// remembered. Answers from memory.
    fn executed(&self, hash: B256) -> Option<(Arc<SealedBlock>, TrieDelta)>;
}
