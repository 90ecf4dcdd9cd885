//! The handler that discards a failed transaction's journal.

use op_revm::api::exec::OpContextTr;
use op_revm::handler::{IsTxError, OpHandler};
use op_revm::{OpHaltReason, OpTransactionError};
use revm::context_interface::result::{ExecutionResult, FromStringError, ResultGas};
use revm::context_interface::{ContextTr, JournalTr};
use revm::handler::evm::FrameTr;
use revm::handler::handler::EvmTrError;
use revm::handler::{EvmTr, FrameResult, Handler};
use revm::interpreter::InitialAndFloorGas;
use revm::interpreter::interpreter_action::FrameInit;

/// [`OpHandler`] with one rule added: whatever a transaction that ends in an error has done to the
/// journal is discarded.
///
/// `OpHandler::catch_error` replaces the mainnet one, which discards the journal, and leaves it as it
/// is. Accounts and slots that a rejected transaction loaded would then be warm for the next one,
/// and the gas of an honest block would depend on candidates that are not in it.
#[derive(Debug)]
pub(crate) struct DiscardingHandler<EVM, ERROR, FRAME> {
    op: OpHandler<EVM, ERROR, FRAME>,
}

impl<EVM, ERROR, FRAME> DiscardingHandler<EVM, ERROR, FRAME> {
    pub(crate) fn new() -> Self {
        Self {
            op: OpHandler::new(),
        }
    }
}

impl<EVM, ERROR, FRAME> Handler for DiscardingHandler<EVM, ERROR, FRAME>
where
    EVM: EvmTr<Context: OpContextTr, Frame = FRAME>,
    ERROR: EvmTrError<EVM> + From<OpTransactionError> + FromStringError + IsTxError,
    FRAME: FrameTr<FrameResult = FrameResult, FrameInit = FrameInit>,
{
    type Evm = EVM;
    type Error = ERROR;
    type HaltReason = OpHaltReason;

    fn validate_env(&self, evm: &mut EVM) -> Result<(), ERROR> {
        self.op.validate_env(evm)
    }

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut EVM,
        init_and_floor_gas: &mut InitialAndFloorGas,
    ) -> Result<(), ERROR> {
        self.op
            .validate_against_state_and_deduct_caller(evm, init_and_floor_gas)
    }

    fn last_frame_result(&mut self, evm: &mut EVM, result: &mut FrameResult) -> Result<(), ERROR> {
        self.op.last_frame_result(evm, result)
    }

    fn refund(&self, evm: &mut EVM, result: &mut FrameResult, eip7702_refund: i64) {
        self.op.refund(evm, result, eip7702_refund);
    }

    fn reimburse_caller(&self, evm: &mut EVM, result: &mut FrameResult) -> Result<(), ERROR> {
        self.op.reimburse_caller(evm, result)
    }

    fn reward_beneficiary(&self, evm: &mut EVM, result: &mut FrameResult) -> Result<(), ERROR> {
        self.op.reward_beneficiary(evm, result)
    }

    fn execution_result(
        &mut self,
        evm: &mut EVM,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<OpHaltReason>, ERROR> {
        self.op.execution_result(evm, result, gas)
    }

    fn catch_error(
        &self,
        evm: &mut EVM,
        error: ERROR,
    ) -> Result<ExecutionResult<OpHaltReason>, ERROR> {
        // A failed deposit comes back as `Ok`: its mint and nonce are committed there.
        let output = self.op.catch_error(evm, error);
        if output.is_err() {
            evm.ctx().journal_mut().discard_tx();
        }
        output
    }
}
