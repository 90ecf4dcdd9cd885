//! The transaction that a block ends with.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use blockwright_types::{AccountPost, BuildRequest, SharedTx, SkipReason, Usage};

/// Makes what closes the block that is asked for, if anything does.
pub type MakeClosing = Arc<dyn Fn(&BuildRequest) -> Option<Box<dyn Closing>> + Send + Sync>;

/// What a block is when its last transaction is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosingView {
    /// Priority fees collected so far, in wei.
    pub value: U256,
    /// Base fee of the block, in wei.
    pub base_fee: u64,
    /// The account of [`Closing::sender`], as everything before left it.
    pub sender: AccountPost,
}

/// Makes the last transaction of a block, such as what a builder pays for it.
///
/// Its room is kept free from the start of the block. It is asked once, when the last planned
/// flashblock is cut; a payload that is resolved before that ends without it, and so does one in which
/// the pool has no part. Calls come from one thread.
pub trait Closing: Send + 'static {
    /// Who sends it.
    fn sender(&self) -> Address;

    /// The most it may use. The DA footprint is `da_footprint_gas_scalar` gas for each byte of its DA
    /// size.
    fn reserve(&self, da_footprint_gas_scalar: u64) -> Usage;

    /// The transaction; `None` where the block is to end without one.
    fn transaction(&mut self, view: &ClosingView) -> Option<SharedTx>;

    /// What became of the transaction: in the block, or why not. One that would fail is left out.
    fn done(&mut self, outcome: Result<(), &SkipReason>);
}
