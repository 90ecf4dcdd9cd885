//! The one function that runs transactions.

use blockwright_types::{BlockContext, Dimension, SkipReason};
use op_revm::transaction::OpTxTr as _;
use op_revm::{L1BlockInfo, OpContext, OpEvm, OpHaltReason, OpTransaction, OpTransactionError};
use revm::context::{CfgEnv, ContextSetters, Journal, LocalContext, TxEnv};
use revm::context_interface::JournalTr;
use revm::context_interface::result::{EVMError, ExecutionResult, InvalidTransaction};
use revm::database_interface::Database;
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, Handler};
use revm::interpreter::interpreter::EthInterpreter;
use revm::state::EvmState;

use crate::env::{block_env, cfg_env};
use crate::error::TxFailure;
use crate::handler::DiscardingHandler;
use crate::precompiles::BlockPrecompiles;

type Evm<DB> =
    OpEvm<OpContext<DB>, (), EthInstructions<EthInterpreter, OpContext<DB>>, BlockPrecompiles>;

/// What a transaction did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) result: ExecutionResult<OpHaltReason>,
    pub(crate) state: EvmState,
}

/// What is to be run.
pub(crate) enum Run {
    /// A transaction with validation, fees and receipts.
    Transaction(OpTransaction<TxEnv>),
    /// A protocol call: no validation, no fees.
    System(OpTransaction<TxEnv>),
}

/// An EVM set up for one block, over a database it owns.
pub(crate) struct Machine<DB: Database> {
    evm: Evm<DB>,
    /// Cap on the gas limit of signed transactions; revm's default for the fork where `None`.
    tx_gas_limit_cap: Option<u64>,
}

impl<DB: Database> Machine<DB> {
    pub(crate) fn new(context: &BlockContext, db: DB) -> Self {
        Self::with_cfg(context, cfg_env(context), db)
    }

    pub(crate) fn with_cfg(context: &BlockContext, cfg: CfgEnv<op_revm::OpSpecId>, db: DB) -> Self {
        let spec = cfg.spec;
        let tx_gas_limit_cap = cfg.tx_gas_limit_cap;
        let mut ctx = OpContext::<DB> {
            block: block_env(context),
            tx: OpTransaction::default(),
            cfg,
            journaled_state: Journal::new(db),
            chain: L1BlockInfo::default(),
            local: LocalContext::default(),
            error: Ok(()),
        };
        // Transactions set this themselves; the system calls that come before them do not.
        ctx.journaled_state.set_spec_id(spec.into_eth_spec());
        let evm = OpEvm::new(ctx, ()).with_precompiles(BlockPrecompiles::new(context.fork));
        Self {
            evm,
            tx_gas_limit_cap,
        }
    }

    pub(crate) fn db(&self) -> &DB {
        self.evm.0.ctx.journaled_state.db()
    }

    pub(crate) fn db_mut(&mut self) -> &mut DB {
        self.evm.0.ctx.journaled_state.db_mut()
    }

    /// The block's own values; a call changes the base fee.
    pub(crate) fn block_mut(&mut self) -> &mut revm::context::BlockEnv {
        &mut self.evm.0.ctx.block
    }

    /// The L1 fee parameters cached for this block. op-revm reads them again from the database when
    /// `l2_block` is not this block's number.
    pub(crate) fn l1_mut(&mut self) -> &mut L1BlockInfo {
        &mut self.evm.0.ctx.chain
    }

    /// Runs one transaction or system call and leaves the EVM as if it had not been: the journal is
    /// finalized before anybody looks at the result, with no way out between, so the only trace is
    /// the returned state.
    ///
    /// The journal rule: nothing else in this project runs a transaction.
    pub(crate) fn run(&mut self, run: Run) -> Result<Ran, TxFailure> {
        let mut handler =
            DiscardingHandler::<_, EVMError<DB::Error, OpTransactionError>, EthFrame>::new();
        let result = match run {
            Run::Transaction(tx) => {
                // Deposits are exempt from the cap. It is not enough that op-revm skips the check
                // for them: revm still hands a frame no more gas than the cap, and puts the rest
                // into a reservoir that only EIP-8037 knows how to spend.
                self.evm.0.ctx.cfg.tx_gas_limit_cap = if tx.is_deposit() {
                    Some(u64::MAX)
                } else {
                    self.tx_gas_limit_cap
                };
                self.evm.0.ctx.set_tx(tx);
                handler.run(&mut self.evm)
            }
            Run::System(tx) => {
                self.evm.0.ctx.set_tx(tx);
                handler.run_system_call(&mut self.evm)
            }
        };
        let ctx = &mut self.evm.0.ctx;
        let state = ctx.journaled_state.finalize();
        ctx.chain.clear_tx_l1_cost();
        ctx.error = Ok(());
        match result {
            Ok(result) => Ok(Ran { result, state }),
            Err(EVMError::Transaction(error)) => Err(TxFailure::Rejected(skip_reason(error))),
            Err(error) => Err(TxFailure::fault(error)),
        }
    }
}

fn skip_reason(error: OpTransactionError) -> SkipReason {
    let OpTransactionError::Base(error) = error else {
        return SkipReason::Invalid(error.to_string());
    };
    match error {
        InvalidTransaction::NonceTooLow { tx, state } => SkipReason::NonceTooLow { tx, state },
        InvalidTransaction::NonceTooHigh { tx, state } => SkipReason::NonceTooHigh { tx, state },
        InvalidTransaction::GasPriceLessThanBasefee => SkipReason::FeeCapBelowBaseFee,
        InvalidTransaction::LackOfFundForMaxFee { .. } => SkipReason::InsufficientFunds,
        InvalidTransaction::CallerGasLimitMoreThanBlock => SkipReason::OverBudget(Dimension::Gas),
        other => SkipReason::Invalid(other.to_string()),
    }
}
