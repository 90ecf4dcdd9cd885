//! The block under construction.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use blockwright_types::{
    AccountPost, BlockContext, Changes, Flashblock, Gas, Roots, SealedBlock, SharedTx, SkipReason,
    UnrootedBlock, Usage,
};

/// A block under construction, with system calls and sequencer transactions already run.
///
/// Order of calls: any number of [`simulate`](Self::simulate) / [`commit`](Self::commit) /
/// [`take_changes`](Self::take_changes), then [`cut`](Self::cut)`(0)`, again transactions,
/// `cut(1)`, and so on. [`seal`](Self::seal)`(i)` may come any time after `cut(i)` and before
/// `seal(i + 1)`, also after transactions of later parts were committed: a cut freezes all that the
/// header of flashblock `i` needs except the roots. [`preview`](Self::preview)`(i)` takes the place
/// of `seal(i)` where flashblock `i` carries no roots.
pub trait OpenBlock {
    /// Result of one simulation: owned, `Send`, stamped with the commit count it ran on.
    type Sim: Simulated;

    /// The block's environment.
    fn context(&self) -> &BlockContext;

    /// What the block uses so far, sequencer transactions included.
    fn usage(&self) -> Usage;

    /// Priority fees of everything committed, in wei.
    fn value(&self) -> U256;

    /// An account after everything committed; an empty one where it does not exist.
    ///
    /// # Errors
    /// [`SimError::Fault`] where the state cannot be read.
    fn account(&mut self, address: Address) -> Result<AccountPost, SimError>;

    /// DA footprint in gas units per estimated DA byte (Jovian's scalar); zero before Jovian.
    fn da_footprint_gas_scalar(&self) -> u64;

    /// Runs `tx` on a disposable layer over the committed state. Nothing of it stays.
    fn simulate(&mut self, tx: &SharedTx) -> Result<Self::Sim, SimError>;

    /// Makes a simulation part of the block. A simulation that ran on an older commit count is
    /// handed back as [`Stale`], unless the implementation can prove that it read nothing since
    /// written.
    fn commit(&mut self, sim: Self::Sim) -> Result<(), Stale>;

    /// Post-values of everything committed since the last call (or the opening), for
    /// [`RootSession::push`](crate::RootSession::push). The same pieces become part of the block's
    /// parts. `None` where nothing changed.
    fn take_changes(&mut self) -> Option<Arc<Changes>>;

    /// Ends part `index`. All changes must have been taken.
    fn cut(&mut self, index: u64);

    /// Completes flashblock `index` and the block that ends with it. Costs only what is new since
    /// the last seal.
    fn seal(&mut self, index: u64, roots: &Roots) -> Sealed;

    /// Like [`seal`](Self::seal) without roots: the flashblock has zero `state_root`, `block_hash`
    /// and `withdrawals_root`, and its block can be completed by anyone who learns the roots.
    fn preview(&mut self, index: u64) -> Previewed;
}

/// What a simulation found out.
pub trait Simulated: Send {
    /// Gas used, refunds subtracted.
    fn gas_used(&self) -> Gas;
    /// Whether the transaction succeeded (a revert is included in the block, too).
    fn success(&self) -> bool;
    /// What it would add to the block.
    fn usage(&self) -> Usage;
}

/// A flashblock and the whole block it completes.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The increment.
    pub flashblock: Arc<Flashblock>,
    /// The block so far, valid by itself.
    pub block: Arc<SealedBlock>,
}

/// A flashblock without roots and the block that lacks nothing else.
#[derive(Clone, Debug)]
pub struct Previewed {
    /// The increment, with zeros in place of what needs the roots.
    pub flashblock: Arc<Flashblock>,
    /// The block so far, to be completed by [`UnrootedBlock::with_roots`].
    pub block: Arc<UnrootedBlock>,
}

/// The committed state moved on since the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

/// Why a simulation gave no result.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The transaction is not valid here; the block goes on.
    #[error("transaction rejected: {0}")]
    Rejected(#[from] SkipReason),
    /// Anything else ends the job.
    #[error("execution failed: {0}")]
    Fault(#[source] Box<dyn core::error::Error + Send + Sync>),
}
