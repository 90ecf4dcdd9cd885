//! Execution of a whole block.

use alloy_primitives::U256;
use blockwright_types::{BlockContext, BlockPart, SharedTx};
use revm::database_interface::DatabaseRef;

use crate::error::ExecError;
use crate::executor::Executor;
use crate::header::BlockTotals;

/// A block's transactions after execution; with the roots of the state it makes a header
/// ([`crate::assemble_header`]).
#[derive(Clone, Debug)]
pub struct Executed {
    /// Transactions, receipts and post-values.
    pub part: BlockPart,
    /// What goes into the header.
    pub totals: BlockTotals,
    /// Priority fees earned by the fee recipient, in wei.
    pub value: U256,
}

/// Executes the block `context` describes with exactly these transactions, by the same steps that
/// build one. The caller compares header and hash; that the gas and DA-footprint limits hold is
/// checked here.
///
/// # Errors
/// [`ExecError::InvalidTransaction`] where the block is invalid, anything else where it could not be
/// executed.
pub fn execute_block<R: DatabaseRef>(
    context: BlockContext,
    reader: R,
    txs: &[SharedTx],
) -> Result<Executed, ExecError> {
    let mut executor = Executor::open(context, reader)?;
    executor.run_all(txs)?;
    executor.take_changes();
    let ledger = executor.ledger_mut();
    Ok(Executed {
        totals: ledger.totals(),
        value: ledger.value(),
        part: ledger.take_part(),
    })
}
