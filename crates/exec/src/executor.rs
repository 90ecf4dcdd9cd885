//! Executes a block transaction by transaction, for building and importing alike.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use blockwright_seams::Simulated;
use blockwright_types::{
    AccountPost, BlockContext, Changes, Dimension, Gas, OpFork, SharedTx, SkipReason, Usage,
};
use op_revm::{L1BlockInfo, OpHaltReason};
use revm::context_interface::result::ExecutionResult;
use revm::database_interface::{Database, DatabaseRef};
use revm::state::EvmState;

use crate::error::{ExecError, Poisoned, TxFailure};
use crate::layer::Layer;
use crate::ledger::Ledger;
use crate::machine::{Machine, Run};
use crate::receipt::receipt;
use crate::system;
use crate::tx_env::tx_env;
use crate::vaults::{Credits, vaults};

/// A transaction's outcome, not yet part of the block.
#[derive(Debug)]
pub struct Simulation {
    pub(crate) tx: SharedTx,
    pub(crate) result: ExecutionResult<OpHaltReason>,
    state: EvmState,
    credits: Credits,
    /// Sender's nonce before a deposit ran (Regolith).
    deposit_nonce: Option<u64>,
    usage: Usage,
    /// Commit count it ran on.
    stamp: u64,
    /// [`Executor::attributes`] it ran under.
    attributes: u64,
}

impl Simulated for Simulation {
    fn gas_used(&self) -> Gas {
        self.usage.gas
    }

    fn success(&self) -> bool {
        self.result.is_success()
    }

    fn usage(&self) -> Usage {
        self.usage
    }
}

/// A block being executed.
pub(crate) struct Executor<R: DatabaseRef> {
    context: BlockContext,
    machine: Machine<Layer<R>>,
    ledger: Ledger,
    /// Number of commits so far.
    commits: u64,
    /// Number of times the L1 attributes were read anew.
    attributes: u64,
    /// Jovian's gas per estimated DA byte; zero before.
    da_footprint_gas_scalar: u64,
    /// Set by a fault: nothing can be trusted after it.
    poison: Option<String>,
}

impl<R: DatabaseRef> Executor<R> {
    /// Runs what comes before the first transaction.
    pub(crate) fn open(context: BlockContext, reader: R) -> Result<Self, ExecError> {
        let mut machine = Machine::new(&context, Layer::for_block(reader));
        system::open_block(&context, &mut machine)?;
        let mut executor = Self {
            context,
            machine,
            ledger: Ledger::default(),
            commits: 0,
            attributes: 0,
            da_footprint_gas_scalar: 0,
            poison: None,
        };
        executor
            .read_l1_attributes()
            .map_err(|error| ExecError::Fault(Box::new(error)))?;
        Ok(executor)
    }

    pub(crate) const fn context(&self) -> &BlockContext {
        &self.context
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    pub(crate) const fn da_footprint_gas_scalar(&self) -> u64 {
        self.da_footprint_gas_scalar
    }

    pub(crate) fn has_changes(&self) -> bool {
        self.machine.db().has_changes()
    }

    /// An account after everything committed.
    pub(crate) fn account(&mut self, address: Address) -> Result<AccountPost, TxFailure> {
        let info = self.machine.db_mut().basic(address);
        let info = info.map_err(TxFailure::fault)?.unwrap_or_default();
        Ok(AccountPost {
            balance: info.balance,
            nonce: info.nonce,
            code_hash: info.code_hash,
        })
    }

    /// Simulates and commits all of `txs`, which must be valid at their places.
    pub(crate) fn run_all(&mut self, txs: &[SharedTx]) -> Result<(), ExecError> {
        for (index, tx) in txs.iter().enumerate() {
            let simulation = self.simulate(tx).map_err(|failure| failure.at(index))?;
            self.apply(simulation);
        }
        match self.poison.take() {
            Some(fault) => Err(ExecError::Fault(Box::new(Poisoned(fault)))),
            None => Ok(()),
        }
    }

    /// Runs `tx` on the committed state; nothing of it stays.
    pub(crate) fn simulate(&mut self, tx: &SharedTx) -> Result<Simulation, TxFailure> {
        if let Some(fault) = &self.poison {
            return Err(TxFailure::fault(Poisoned(fault.clone())));
        }
        let outcome = self.try_simulate(tx);
        if let Err(TxFailure::Fault(cause)) = &outcome {
            self.poison = Some(cause.to_string());
        }
        outcome
    }

    fn try_simulate(&mut self, tx: &SharedTx) -> Result<Simulation, TxFailure> {
        let da_footprint = self.check_block_limits(tx).map_err(TxFailure::Rejected)?;
        let env = tx_env(tx).map_err(TxFailure::Rejected)?;
        let deposit_nonce = if tx.is_deposit() && self.context.fork >= OpFork::Regolith {
            let sender = self.machine.db_mut().basic(tx.sender);
            let sender = sender.map_err(TxFailure::fault)?;
            Some(sender.map_or(0, |info| info.nonce))
        } else {
            None
        };
        let ran = self.machine.run(Run::Transaction {
            env,
            da_millionths: Some(tx.da_millionths),
        })?;
        if ran.credits.iter().any(Option::is_some) {
            let vaults = vaults(self.context.fee_recipient);
            let loaded = self.machine.db_mut().load_vaults(vaults);
            loaded.map_err(TxFailure::fault)?;
        }
        let usage = Usage {
            gas: Gas(ran.result.tx_gas_used()),
            da: tx.da,
            da_footprint,
            size_bytes: tx.size_bytes(),
        };
        Ok(Simulation {
            tx: Arc::clone(tx),
            result: ran.result,
            state: ran.state,
            credits: ran.credits,
            deposit_nonce,
            usage,
            stamp: self.commits,
            attributes: self.attributes,
        })
    }

    /// The limits a transaction meets before it runs; returns its DA footprint.
    fn check_block_limits(&self, tx: &SharedTx) -> Result<Gas, SkipReason> {
        let limit = Gas(self.context.gas_limit);
        let used = self.ledger.usage();
        let counts = !tx.is_deposit() || self.context.fork >= OpFork::Regolith;
        if counts && tx.gas_limit() > limit - used.gas {
            return Err(SkipReason::OverBudget(Dimension::Gas));
        }
        let footprint = Gas(tx.da.0.saturating_mul(self.da_footprint_gas_scalar));
        if footprint > limit - used.da_footprint {
            return Err(SkipReason::OverBudget(Dimension::DaFootprint));
        }
        Ok(footprint)
    }

    /// Whether `simulation` would come out the same on the present state.
    pub(crate) fn is_current(&self, simulation: &Simulation) -> bool {
        simulation.stamp == self.commits
            || (self.poison.is_none()
                && simulation.attributes == self.attributes
                && self.check_block_limits(&simulation.tx).is_ok()
                && self.machine.db().reads_the_same(&simulation.state))
    }

    /// Makes a current simulation part of the block.
    pub(crate) fn apply(&mut self, simulation: Simulation) {
        let Simulation {
            tx,
            result,
            state,
            credits,
            deposit_nonce,
            usage,
            ..
        } = simulation;
        let layer = self.machine.db_mut();
        let l1_attributes_changed = layer.commit(state);
        layer.credit(&credits);
        if l1_attributes_changed && let Err(error) = self.read_l1_attributes() {
            self.poison = Some(error.to_string());
        }
        let tip = if tx.is_deposit() {
            0
        } else {
            tx.effective_tip(self.context.base_fee).unwrap_or(0)
        };
        let value = U256::from(tip) * U256::from(usage.gas.0);
        let cumulative = self.ledger.usage().gas + usage.gas;
        let receipt = receipt(&tx, result, cumulative.0, self.receipt_rules(deposit_nonce));
        self.ledger.append(tx, receipt, usage, value);
        self.commits += 1;
    }

    fn receipt_rules(&self, deposit_nonce: Option<u64>) -> crate::receipt::DepositFields {
        crate::receipt::DepositFields {
            nonce: deposit_nonce,
            version: (self.context.fork >= OpFork::Canyon).then_some(1),
        }
    }

    /// Forgets the fee parameters read so far: those of the L1-attributes deposit hold for every
    /// transaction after it.
    fn read_l1_attributes(&mut self) -> Result<(), R::Error> {
        *self.machine.l1_mut() = L1BlockInfo::default();
        self.attributes += 1;
        if self.context.fork >= OpFork::Jovian {
            let layer = self.machine.db_mut();
            let scalar = L1BlockInfo::fetch_da_footprint_gas_scalar(layer)?;
            self.da_footprint_gas_scalar = u64::from(scalar);
        }
        Ok(())
    }

    /// Post-values of all that was committed since the last call; they become part of the block.
    pub(crate) fn take_changes(&mut self) -> Option<Arc<Changes>> {
        let changes = self.machine.db_mut().take_changes()?;
        self.ledger.append_changes(Arc::clone(&changes));
        Some(changes)
    }
}
