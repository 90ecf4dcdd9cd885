//! The handler that discards a failed transaction's journal and keeps fee payments out of it.

use core::cell::Cell;

use alloy_primitives::U256;
use op_revm::handler::OpHandler;
use op_revm::transaction::OpTxTr as _;
use op_revm::{OpHaltReason, OpSpecId, OpTransactionError};
use revm::context_interface::result::{EVMError, ExecutionResult, ResultGas};
use revm::context_interface::{JournalTr as _, Transaction as _};
use revm::database_interface::Database;
use revm::handler::{EthFrame, FrameResult, Handler};
use revm::inspector::InspectorHandler;
use revm::interpreter::InitialAndFloorGas;
use revm::interpreter::interpreter::EthInterpreter;

use crate::machine::Evm;
use crate::vaults::{Credits, VAULTS, vaults};

type Error<DB> = EVMError<<DB as Database>::Error, OpTransactionError>;

/// [`OpHandler`] with two rules changed.
///
/// Whatever a transaction that ends in an error has done to the journal is discarded.
/// `OpHandler::catch_error` replaces the mainnet one, which discards the journal, and leaves it as it
/// is. Accounts and slots that a rejected transaction loaded would then be warm for the next one,
/// and the gas of an honest block would depend on candidates that are not in it.
///
/// And fees paid to an account that the transaction did not look at come back as [`Credits`] rather
/// than as that account's new balance. Otherwise every transaction would load and write the same
/// four accounts, and its result would depend on every transaction before it.
#[derive(Debug)]
pub(crate) struct BlockHandler<DB: Database> {
    op: OpHandler<Evm<DB>, Error<DB>, EthFrame>,
    credits: Cell<Credits>,
}

impl<DB: Database> BlockHandler<DB> {
    pub(crate) fn new() -> Self {
        Self {
            op: OpHandler::new(),
            credits: Cell::new([None; VAULTS]),
        }
    }

    /// What the transaction that just ran pays to accounts it did not look at.
    pub(crate) const fn credits(&self) -> Credits {
        self.credits.get()
    }
}

/// What the transaction pays to each of the vaults, in wei: the sums of `OpHandler`.
fn fees<DB: Database>(
    evm: &mut Evm<DB>,
    result: &FrameResult,
) -> Result<[U256; VAULTS], Error<DB>> {
    let ctx = &mut evm.0.ctx;
    let Some(encoded) = ctx.tx.enveloped_tx() else {
        return Err(EVMError::Transaction(
            OpTransactionError::MissingEnvelopedTx,
        ));
    };
    let spec = ctx.cfg.spec;
    let base_fee = u128::from(ctx.block.basefee);
    let gas = result.gas();
    let used = gas.used().saturating_sub(gas.reservoir());
    let tip = ctx
        .tx
        .effective_gas_price(base_fee)
        .saturating_sub(base_fee);
    let operator_fee = if spec.is_enabled_in(OpSpecId::ISTHMUS) {
        ctx.chain
            .operator_fee_charge(encoded, U256::from(used), spec)
    } else {
        U256::ZERO
    };
    Ok([
        U256::from(tip.saturating_mul(u128::from(used))),
        ctx.chain.calculate_tx_l1_cost(encoded, spec),
        U256::from(base_fee.saturating_mul(u128::from(used))),
        operator_fee,
    ])
}

/// The same rules with [`crate::transfer_logs::TransferLogs`] watching.
impl<DB: Database> InspectorHandler for BlockHandler<DB> {
    type IT = EthInterpreter;
}

impl<DB: Database> Handler for BlockHandler<DB> {
    type Evm = Evm<DB>;
    type Error = Error<DB>;
    type HaltReason = OpHaltReason;

    fn validate_env(&self, evm: &mut Evm<DB>) -> Result<(), Error<DB>> {
        self.op.validate_env(evm)
    }

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Evm<DB>,
        init_and_floor_gas: &mut InitialAndFloorGas,
    ) -> Result<(), Error<DB>> {
        self.op
            .validate_against_state_and_deduct_caller(evm, init_and_floor_gas)
    }

    fn last_frame_result(
        &mut self,
        evm: &mut Evm<DB>,
        result: &mut FrameResult,
    ) -> Result<(), Error<DB>> {
        self.op.last_frame_result(evm, result)
    }

    fn refund(&self, evm: &mut Evm<DB>, result: &mut FrameResult, eip7702_refund: i64) {
        self.op.refund(evm, result, eip7702_refund);
    }

    fn reimburse_caller(
        &self,
        evm: &mut Evm<DB>,
        result: &mut FrameResult,
    ) -> Result<(), Error<DB>> {
        self.op.reimburse_caller(evm, result)
    }

    fn reward_beneficiary(
        &self,
        evm: &mut Evm<DB>,
        result: &mut FrameResult,
    ) -> Result<(), Error<DB>> {
        // A message that need not pay the base fee pays nothing, or the vault would get what nobody
        // gave.
        if evm.0.ctx.tx.is_deposit() || evm.0.ctx.cfg.disable_base_fee {
            return Ok(());
        }
        let fees = fees(evm, result)?;
        let ctx = &mut evm.0.ctx;
        let mut credits = [None; VAULTS];
        for ((vault, fee), credit) in vaults(ctx.block.beneficiary)
            .into_iter()
            .zip(fees)
            .zip(&mut credits)
        {
            let journal = &mut ctx.journaled_state;
            if journal.inner.state.contains_key(&vault) {
                journal.balance_incr(vault, fee)?;
            } else {
                *credit = Some(fee);
            }
        }
        self.credits.set(credits);
        Ok(())
    }

    fn execution_result(
        &mut self,
        evm: &mut Evm<DB>,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<OpHaltReason>, Error<DB>> {
        self.op.execution_result(evm, result, gas)
    }

    fn catch_error(
        &self,
        evm: &mut Evm<DB>,
        error: Error<DB>,
    ) -> Result<ExecutionResult<OpHaltReason>, Error<DB>> {
        self.credits.set([None; VAULTS]);
        // A failed deposit comes back as `Ok`: its mint and nonce are committed there.
        let output = self.op.catch_error(evm, error);
        if output.is_err() {
            evm.0.ctx.journaled_state.discard_tx();
        }
        output
    }
}
