//! The one function that runs transactions.

use alloy_primitives::U256;
use blockwright_types::{BlockContext, Dimension, SkipReason};
use op_revm::transaction::OpTxTr as _;
use op_revm::{
    L1BlockInfo, OpContext, OpEvm, OpHaltReason, OpSpecId, OpTransaction, OpTransactionError,
};
use revm::context::{CfgEnv, ContextSetters, Journal, LocalContext, TxEnv};
use revm::context_interface::JournalTr;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::context_interface::result::{EVMError, ExecutionResult, InvalidTransaction};
use revm::database_interface::Database;
use revm::handler::Handler as _;
use revm::handler::instructions::EthInstructions;
use revm::inspector::InspectorHandler as _;
use revm::interpreter::interpreter::EthInterpreter;
use revm::state::EvmState;

use crate::env::{block_env, cfg_env};
use crate::error::{Cause, TxFailure};
use crate::fees::fjord_l1_fee;
use crate::handler::BlockHandler;
use crate::precompiles::BlockPrecompiles;
use crate::transfer_logs::TransferLogs;
use crate::vaults::Credits;

pub(crate) type Evm<DB> = OpEvm<
    OpContext<DB>,
    TransferLogs,
    EthInstructions<EthInterpreter, OpContext<DB>>,
    BlockPrecompiles,
>;

/// What a transaction did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) result: ExecutionResult<OpHaltReason>,
    pub(crate) state: EvmState,
    /// Fees it pays beside what `state` says.
    pub(crate) credits: Credits,
}

/// What is to be run.
pub(crate) enum Run {
    /// A transaction with validation, fees and receipts.
    Transaction {
        env: OpTransaction<TxEnv>,
        /// Its compressed size in millionths of a byte, where it was estimated before.
        da_millionths: Option<u64>,
    },
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

    pub(crate) fn with_cfg(context: &BlockContext, cfg: CfgEnv<OpSpecId>, db: DB) -> Self {
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
        let evm = OpEvm::new(ctx, TransferLogs::default())
            .with_precompiles(BlockPrecompiles::new(context.fork));
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

    /// Takes the database back.
    pub(crate) fn into_db(self) -> DB {
        self.evm.0.ctx.journaled_state.database
    }

    /// The rules. The cap on gas limits is not taken from here but from what the machine began with.
    pub(crate) fn cfg_mut(&mut self) -> &mut CfgEnv<OpSpecId> {
        &mut self.evm.0.ctx.cfg
    }

    /// The precompiled contracts; overrides of the state move and replace them.
    pub(crate) fn precompiles_mut(&mut self) -> &mut BlockPrecompiles {
        &mut self.evm.0.precompiles
    }

    /// The recorder of logs and ether transfers. It is asked only where it is switched on.
    pub(crate) fn transfer_logs_mut(&mut self) -> &mut TransferLogs {
        &mut self.evm.0.inspector
    }

    /// The block's own values; a call changes the base fee.
    pub(crate) fn block_mut(&mut self) -> &mut revm::context::BlockEnv {
        &mut self.evm.0.ctx.block
    }

    /// Sets what `BLOBBASEFEE` answers, in wei.
    pub(crate) fn set_blob_base_fee(&mut self, price: u128) {
        self.evm.0.ctx.block.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice {
            excess_blob_gas: 0,
            blob_gasprice: price,
        });
    }

    /// The L1 fee parameters cached for this block. op-revm reads them again from the database when
    /// `l2_block` is not this block's number.
    pub(crate) fn l1_mut(&mut self) -> &mut L1BlockInfo {
        &mut self.evm.0.ctx.chain
    }

    /// The L1 data fee, where op-revm need not compress the transaction to know it. Parameters of
    /// another block are of no use: op-revm replaces them, and this with them.
    fn known_l1_fee(&self, env: &OpTransaction<TxEnv>, da_millionths: Option<u64>) -> Option<U256> {
        let ctx = &self.evm.0.ctx;
        let known = ctx.cfg.spec.is_enabled_in(OpSpecId::FJORD)
            && ctx.chain.l2_block == Some(ctx.block.number)
            && !env.is_deposit();
        let da_millionths = da_millionths.filter(|_| known)?;
        Some(fjord_l1_fee(&ctx.chain, da_millionths))
    }

    /// Runs one transaction or system call and leaves the EVM as if it had not been: the journal is
    /// finalized before anybody looks at the result, with no way out between, so the only trace is
    /// the returned state.
    ///
    /// The journal rule: nothing else in this project runs a transaction.
    pub(crate) fn run(&mut self, run: Run) -> Result<Ran, RunError> {
        let mut handler = BlockHandler::new();
        let result = match run {
            Run::Transaction { env, da_millionths } => {
                // Deposits are exempt from the cap. It is not enough that op-revm skips the check
                // for them: revm still hands a frame no more gas than the cap, and puts the rest
                // into a reservoir that only EIP-8037 knows how to spend.
                self.evm.0.ctx.cfg.tx_gas_limit_cap = if env.is_deposit() {
                    Some(u64::MAX)
                } else {
                    self.tx_gas_limit_cap
                };
                self.evm.0.ctx.chain.tx_l1_cost = self.known_l1_fee(&env, da_millionths);
                self.evm.0.ctx.set_tx(env);
                if self.evm.0.inspector.begin() {
                    handler.inspect_run(&mut self.evm)
                } else {
                    handler.run(&mut self.evm)
                }
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
            Ok(result) => Ok(Ran {
                result,
                state,
                credits: handler.credits(),
            }),
            Err(EVMError::Transaction(error)) => Err(RunError::Invalid(error)),
            Err(error) => Err(RunError::Fault(Box::new(error))),
        }
    }
}

/// Why a run has no result.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The transaction is not valid here.
    Invalid(OpTransactionError),
    /// The state could not be read, or the EVM failed.
    Fault(Cause),
}

impl From<RunError> for TxFailure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Invalid(error) => Self::Rejected(skip_reason(error)),
            RunError::Fault(cause) => Self::Fault(cause),
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
