//! `eth_simulateV1`: blocks that nobody made, on top of one that is there.

mod error;
mod message;
mod plan;
mod request;

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256};
use blockwright_types::{BlockContext, Gas, OpFork, SealedBlock, SharedTx, Usage};
use op_revm::{OpHaltReason, OpSpecId};
use revm::context::CfgEnv;
use revm::context_interface::result::ExecutionResult;
use revm::database_interface::{Database, DatabaseRef};
use revm::state::EvmState;

pub use error::{InvalidMessage, SimulationError};
pub use plan::SIMULATED_BLOCKS_MAX;
pub use request::{
    BlockCalls, BlockOverrides, SimulatedBlock, SimulatedCall, SimulationBase, SimulationHost,
    SimulationRequest,
};

use crate::call::{CallRequest, CallStatus, message_env, no_rollup_fees, outcome};
use crate::env::cfg_env;
use crate::error::ExecError;
use crate::header::assemble_header;
use crate::layer::Layer;
use crate::ledger::Ledger;
use crate::machine::{Machine, Ran, Run, RunError};
use crate::overrides::apply_overrides;
use crate::receipt::{DepositFields, receipt};
use crate::system;
use crate::vaults::{Credits, vaults};
use error::invalid_message;
use message::transaction;
use plan::{Planned, plan};

/// What a log counts beside its data, in bytes: its places and topics.
const LOG_BYTES: usize = 256;

/// Simulates blocks of calls on the state `reader` gives, which is that after the base block.
///
/// As in `eth_call` no L1 data fee and no operator fee is charged, senders may have code, and the cap
/// on gas limits (EIP-7825) does not bind. A block's gas limit does, and there is no limit to its DA
/// footprint.
///
/// # Errors
/// [`SimulationError`] where the request contradicts itself, a call cannot be executed at all, or a
/// limit is exceeded. A call that reverts or halts is no error.
pub fn simulate<R: DatabaseRef>(
    request: &SimulationRequest,
    reader: R,
    host: &mut dyn SimulationHost,
) -> Result<Vec<SimulatedBlock>, SimulationError> {
    let planned = plan(request)?;
    let mut layer = Layer::new(reader);
    let base = &request.base;
    layer.set_block_hash(base.header.number, base.hash);
    let mut simulator = Simulator {
        request,
        host,
        gas_left: request.gas_cap,
        result_bytes: 0,
    };
    let mut done: Vec<SimulatedBlock> = Vec::with_capacity(planned.len());
    for block in &planned {
        let parent = done.last().map_or((&base.header, base.hash), |parent| {
            (&parent.block.header, parent.block.hash)
        });
        let context = simulator.context(block, parent)?;
        let (simulated, after) = simulator.block(block, context, layer)?;
        layer = after;
        layer.set_block_hash(block.number, simulated.block.hash);
        done.push(simulated);
    }
    Ok(done)
}

struct Simulator<'a> {
    request: &'a SimulationRequest,
    host: &'a mut dyn SimulationHost,
    /// Gas that the calls to come may use.
    gas_left: u64,
    /// Size of all results so far, as [`SimulationRequest::result_bytes_max`] counts it.
    result_bytes: usize,
}

/// A simulated block that is being filled.
struct Open<R: DatabaseRef> {
    context: BlockContext,
    machine: Machine<Layer<R>>,
    ledger: Ledger,
}

impl Simulator<'_> {
    /// The environment of a block on `parent` (its header and hash).
    fn context(
        &self,
        planned: &Planned<'_>,
        (parent, parent_hash): (&Header, B256),
    ) -> Result<BlockContext, SimulationError> {
        let overrides = planned.overrides();
        let fork = self.host.fork_at(planned.timestamp);
        let base_fee = match overrides.base_fee {
            Some(base_fee) => base_fee,
            None if self.request.validation => self.next_base_fee(parent, planned)?,
            None => 0,
        };
        Ok(BlockContext {
            chain_id: self.request.base.chain_id,
            fork,
            activates: None,
            parent_hash,
            number: planned.number,
            timestamp: planned.timestamp,
            fee_recipient: overrides.fee_recipient.unwrap_or(parent.beneficiary),
            prev_randao: overrides.prev_randao.unwrap_or_default(),
            gas_limit: overrides.gas_limit.unwrap_or(parent.gas_limit),
            base_fee,
            extra_data: Bytes::new(),
            parent_beacon_block_root: (fork >= OpFork::Ecotone)
                .then(|| overrides.parent_beacon_block_root.unwrap_or_default()),
        })
    }

    /// A simulated header has no `extraData`; the parameters of the base fee stay the base block's.
    fn next_base_fee(
        &self,
        parent: &Header,
        planned: &Planned<'_>,
    ) -> Result<u64, SimulationError> {
        let mut parent = parent.clone();
        parent
            .extra_data
            .clone_from(&self.request.base.header.extra_data);
        self.host
            .next_base_fee(&parent, planned.timestamp)
            .map_err(|cause| SimulationError::BaseFee {
                number: planned.number,
                cause,
            })
    }

    fn block<R: DatabaseRef>(
        &mut self,
        planned: &Planned<'_>,
        context: BlockContext,
        layer: Layer<R>,
    ) -> Result<(SimulatedBlock, Layer<R>), SimulationError> {
        let mut open = self.open(planned, context, layer)?;
        let mut calls = Vec::with_capacity(planned.calls().len());
        for (index, call) in planned.calls().iter().enumerate() {
            let done = self
                .call(&mut open, call)
                .map_err(|error| error.at(index))?;
            self.count(&done)?;
            calls.push(done);
        }
        let Open {
            context,
            mut machine,
            mut ledger,
        } = open;
        let changes = machine.db_mut().take_changes();
        let roots = self
            .host
            .roots(&changes.unwrap_or_default())
            .map_err(|cause| SimulationError::Roots {
                number: context.number,
                cause,
            })?;
        let header = assemble_header(&context, &ledger.totals(), &roots);
        let block = SealedBlock {
            hash: header.hash_slow(),
            header,
            parts: vec![Arc::new(ledger.take_part())],
            value: U256::ZERO,
        };
        let mut layer = machine.into_db();
        layer.end_block();
        Ok((SimulatedBlock { block, calls }, layer))
    }

    /// Adds up what is to be kept until the answer is written.
    fn count(&mut self, done: &SimulatedCall) -> Result<(), SimulationError> {
        let output = match &done.status {
            CallStatus::Success(output) | CallStatus::Revert(output) => output.len(),
            CallStatus::Halt { .. } => 0,
        };
        let logs = done.logs.iter().map(|log| LOG_BYTES + log.data.data.len());
        self.result_bytes += output + logs.sum::<usize>();
        let max_bytes = self.request.result_bytes_max;
        if self.result_bytes > max_bytes {
            return Err(SimulationError::ResultTooLarge { max_bytes });
        }
        Ok(())
    }

    /// Overrides the state, then runs what comes before the first transaction of any block.
    fn open<R: DatabaseRef>(
        &self,
        planned: &Planned<'_>,
        context: BlockContext,
        layer: Layer<R>,
    ) -> Result<Open<R>, SimulationError> {
        let cfg = rules(&context, self.request.validation);
        let mut machine = Machine::with_cfg(&context, cfg, layer);
        if let Some(price) = planned.overrides().blob_base_fee {
            machine.set_blob_base_fee(price);
        }
        if let Some(calls) = planned.block {
            apply_overrides(&mut machine, &calls.state)?;
        }
        system::open_block(&context, &mut machine)?;
        *machine.l1_mut() = no_rollup_fees(&context);
        if self.request.trace_transfers {
            machine.transfer_logs_mut().enable();
        }
        Ok(Open {
            context,
            machine,
            ledger: Ledger::default(),
        })
    }

    fn call<R: DatabaseRef>(
        &mut self,
        open: &mut Open<R>,
        call: &CallRequest,
    ) -> Result<SimulatedCall, InvalidMessage> {
        let remaining = open
            .context
            .gas_limit
            .saturating_sub(open.ledger.usage().gas.0);
        let asked = call.gas.unwrap_or(remaining);
        if remaining < asked {
            return Err(InvalidMessage::BlockGasLimit { remaining, asked });
        }
        let gas = asked.min(self.gas_left);
        let mut call = call.clone();
        let nonce = match call.nonce {
            Some(nonce) => nonce,
            None => open
                .machine
                .db_mut()
                .basic(call.from)
                .map_err(|error| InvalidMessage::Fault(Box::new(error)))?
                .map_or(0, |info| info.nonce),
        };
        call.nonce = Some(nonce);
        let tx = Arc::new(transaction(&call, gas, self.request.base.chain_id)?);
        let ran = open.run(&call, gas, self.request.validation)?;
        let Ran {
            result,
            state,
            credits,
        } = ran;
        let gas_used = result.tx_gas_used();
        self.gas_left = self.gas_left.saturating_sub(gas_used);
        open.commit(state, &credits)
            .map_err(|error| InvalidMessage::Fault(Box::new(error)))?;
        open.append(tx, &result, self.request.base.da_footprint_gas_scalar);
        let traced = open.machine.transfer_logs_mut().take();
        let gas_used_max = result.gas().total_gas_spent().max(result.gas().floor_gas());
        let outcome = outcome(result);
        Ok(SimulatedCall {
            status: outcome.status,
            gas_used,
            gas_used_max,
            logs: traced.unwrap_or(outcome.logs),
            gas_capped: gas < asked,
        })
    }
}

impl<R: DatabaseRef> Open<R> {
    fn run(
        &mut self,
        call: &CallRequest,
        gas: u64,
        validation: bool,
    ) -> Result<Ran, InvalidMessage> {
        self.machine.cfg_mut().disable_base_fee = !validation && call.is_free();
        self.machine
            .run(Run::Transaction {
                env: message_env(call, gas),
                da_millionths: None,
            })
            .map_err(|error| match error {
                RunError::Invalid(error) => {
                    invalid_message(error, call, gas, self.context.base_fee)
                }
                RunError::Fault(cause) => InvalidMessage::Fault(cause),
            })
    }

    /// Makes what a call did part of the state.
    fn commit(&mut self, state: EvmState, credits: &Credits) -> Result<(), R::Error> {
        let layer = self.machine.db_mut();
        layer.commit(state);
        if credits.iter().any(Option::is_some) {
            layer.load_vaults(vaults(self.context.fee_recipient))?;
            layer.credit(credits);
        }
        Ok(())
    }

    /// Makes a call part of the block's transactions and receipts.
    fn append(
        &mut self,
        tx: SharedTx,
        result: &ExecutionResult<OpHaltReason>,
        da_footprint_gas_scalar: u64,
    ) {
        let usage = Usage {
            gas: Gas(result.tx_gas_used()),
            da: tx.da,
            da_footprint: Gas(tx.da.0.saturating_mul(da_footprint_gas_scalar)),
            size_bytes: tx.size_bytes(),
        };
        let cumulative = self.ledger.usage().gas + usage.gas;
        let no_deposit = DepositFields {
            nonce: None,
            version: None,
        };
        let receipt = receipt(&tx, result.clone(), cumulative.0, no_deposit);
        self.ledger.append(tx, receipt, usage, U256::ZERO);
    }
}

/// The rules for calls of a simulated block.
fn rules(context: &BlockContext, validation: bool) -> CfgEnv<OpSpecId> {
    let mut cfg = cfg_env(context);
    cfg.disable_nonce_check = !validation;
    cfg.disable_eip3607 = true;
    // The block's gas is counted here, so that the error can say what is left.
    cfg.disable_block_gas_limit = true;
    cfg.tx_chain_id_check = false;
    cfg.tx_gas_limit_cap = Some(u64::MAX);
    cfg
}

impl From<ExecError> for SimulationError {
    fn from(error: ExecError) -> Self {
        match error {
            ExecError::Override(error) => Self::Override(error),
            other => Self::Execution(other),
        }
    }
}
