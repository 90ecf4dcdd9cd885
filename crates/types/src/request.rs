//! What a consensus client asks the builder to build.

use alloy_rpc_types_engine::PayloadId;

use crate::{BlockContext, SharedTx, UnixUs};

/// One payload to build: the validated fork-choice call with attributes.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// The id answered to the consensus client.
    pub id: PayloadId,
    /// The block's environment, chain rules applied.
    pub context: BlockContext,
    /// Transactions of the attributes (deposits and forced ones), in order; they open the block.
    pub sequencer_transactions: Vec<SharedTx>,
    /// Nothing but `sequencer_transactions` may enter.
    pub no_tx_pool: bool,
    /// When the fork-choice call arrived.
    pub received_at: UnixUs,
    /// The parent's timestamp in seconds; `context.timestamp` minus this is the block time where no
    /// slot was skipped.
    pub parent_timestamp: u64,
}
