//! `eth_simulateV1`.

use std::sync::Arc;

use alloy_consensus::transaction::Transaction as _;
use alloy_eips::BlockId;
use alloy_primitives::Bytes;
use alloy_rpc_types_eth::simulate::{
    SimBlock, SimCallResult, SimulateError, SimulatePayload, SimulatedBlock,
};
use alloy_rpc_types_eth::{Log, TransactionRequest};
use blockwright_chain::{ChainSpec, L1Attributes};
use blockwright_exec::{
    BlockCalls, CallStatus, SimulatedBlock as Simulated, SimulatedCall, SimulationBase,
    SimulationHost, SimulationRequest, simulate,
};
use blockwright_state::StateTrie;
use blockwright_types::{Changes, OpFork, Roots, SealedBlock};
use serde_json::Value;

use crate::error::revert_message;
use crate::overlay::Shown;
use crate::{EthApi, RpcError};

use super::blocks::rpc_block;
use super::overrides::{block_overrides, state_overrides};

type Cause = Box<dyn core::error::Error + Send + Sync>;

impl EthApi {
    /// `eth_simulateV1`: blocks of calls on the state after a block.
    pub(crate) fn simulate(
        &self,
        payload: SimulatePayload,
        id: BlockId,
    ) -> Result<Vec<SimulatedBlock<Value>>, RpcError> {
        if payload.block_state_calls.is_empty() {
            return Err(RpcError::invalid("blockStateCalls", "empty input"));
        }
        let full = payload.return_full_transactions;
        let (shown, state) = self.state_at(id)?;
        let mut host = Host {
            chain: &self.deps.chain,
            trie: state
                .trie()
                .map_err(|error| RpcError::Internal(error.to_string()))?,
        };
        let request = self.simulation(payload, shown.block())?;
        let blocks = simulate(&request, state, &mut host).map_err(RpcError::Simulation)?;
        blocks
            .iter()
            .map(|block| view(block, full, request.base.chain_id))
            .collect()
    }

    fn simulation(
        &self,
        payload: SimulatePayload,
        base: &SealedBlock,
    ) -> Result<SimulationRequest, RpcError> {
        let limits = &self.deps.limits;
        Ok(SimulationRequest {
            base: SimulationBase {
                header: base.header.clone(),
                hash: base.hash,
                chain_id: self.deps.chain.chain_id(),
                da_footprint_gas_scalar: da_footprint_gas_scalar(base),
            },
            blocks: payload
                .block_state_calls
                .into_iter()
                .map(|block| self.block_calls(block))
                .collect::<Result<_, _>>()?,
            trace_transfers: payload.trace_transfers,
            validation: payload.validation,
            gas_cap: limits.call_gas_max,
            calls_max: limits.simulate_calls_max,
            result_bytes_max: limits.simulate_result_bytes_max,
        })
    }

    fn block_calls(&self, block: SimBlock) -> Result<BlockCalls, RpcError> {
        let call = |request: TransactionRequest| {
            if request.blob_versioned_hashes.is_some() || request.max_fee_per_blob_gas.is_some() {
                return Err(RpcError::invalid(
                    "blobVersionedHashes",
                    "a rollup has no blob transactions",
                ));
            }
            self.message(request)
        };
        Ok(BlockCalls {
            block: block_overrides(&block.block_overrides.unwrap_or_default())?,
            state: state_overrides(block.state_overrides.unwrap_or_default())?,
            calls: block
                .calls
                .into_iter()
                .map(call)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// The chain's rules, and the state as it becomes.
struct Host<'a> {
    chain: &'a ChainSpec,
    trie: StateTrie,
}

impl SimulationHost for Host<'_> {
    fn fork_at(&self, timestamp: u64) -> OpFork {
        self.chain.fork_at(timestamp)
    }

    fn next_base_fee(
        &self,
        parent: &alloy_consensus::Header,
        timestamp: u64,
    ) -> Result<u64, Cause> {
        Ok(self.chain.next_base_fee(parent, timestamp)?)
    }

    fn roots(&mut self, changes: &Changes) -> Result<Roots, Cause> {
        self.trie.apply(changes)?;
        Ok(self.trie.roots()?)
    }
}

/// What the L1 attributes of `block` say; zero where it has none, as a genesis block.
fn da_footprint_gas_scalar(block: &SealedBlock) -> u64 {
    block
        .transactions()
        .next()
        .filter(|tx| tx.is_deposit())
        .and_then(|tx| L1Attributes::parse(tx.envelope.input()).ok())
        .map_or(0, |(_, attributes)| {
            u64::from(attributes.da_footprint_gas_scalar)
        })
}

fn view(
    simulated: &Simulated,
    full: bool,
    chain_id: u64,
) -> Result<SimulatedBlock<Value>, RpcError> {
    let block = &simulated.block;
    let shown = Shown::Stored(Arc::new(block.clone()));
    let mut inner = serde_json::to_value(rpc_block(&shown, full)?)
        .map_err(|error| RpcError::Internal(error.to_string()))?;
    if full {
        without_signatures(&mut inner, block, chain_id);
    }
    let mut log_index = 0;
    let calls = simulated
        .calls
        .iter()
        .zip(block.transactions())
        .enumerate()
        .map(|(index, (call, tx))| {
            let logs = call.logs.iter().map(|log| {
                let placed = Log {
                    inner: log.clone(),
                    block_hash: Some(block.hash),
                    block_number: Some(block.header.number),
                    block_timestamp: Some(block.header.timestamp),
                    transaction_hash: Some(tx.hash),
                    transaction_index: Some(index as u64),
                    log_index: Some(log_index),
                    removed: false,
                };
                log_index += 1;
                placed
            });
            call_view(call, logs.collect())
        })
        .collect();
    Ok(SimulatedBlock { inner, calls })
}

/// What the type that writes transactions cannot say of one that nobody signed: a legacy one has no
/// `v` and yet a chain, and one that offers less than the base fee pays what it offers.
fn without_signatures(inner: &mut Value, block: &SealedBlock, chain_id: u64) {
    let Some(views) = inner["transactions"].as_array_mut() else {
        return;
    };
    let base_fee = u128::from(block.header.base_fee_per_gas.unwrap_or_default());
    for (view, tx) in views.iter_mut().zip(block.transactions()) {
        if tx.envelope.is_legacy() {
            view["v"] = "0x0".into();
            view["chainId"] = format!("{chain_id:#x}").into();
        }
        let fee_cap = tx.envelope.max_fee_per_gas();
        if fee_cap < base_fee {
            view["gasPrice"] = format!("{fee_cap:#x}").into();
        }
    }
}

fn call_view(call: &SimulatedCall, logs: Vec<Log>) -> SimCallResult {
    let (return_data, error) = match &call.status {
        CallStatus::Success(output) => (output.clone(), None),
        CallStatus::Revert(output) => (Bytes::new(), Some(reverted(output))),
        CallStatus::Halt { reason, .. } => (Bytes::new(), Some(halted(reason, call.gas_capped))),
    };
    SimCallResult {
        return_data,
        logs,
        gas_used: call.gas_used,
        max_used_gas: Some(call.gas_used_max),
        status: error.is_none(),
        error,
    }
}

fn reverted(output: &Bytes) -> SimulateError {
    SimulateError {
        code: SimulateError::EXECUTION_REVERTED_CODE,
        message: revert_message(output),
        data: Some(output.clone()),
    }
}

fn halted(reason: &str, gas_capped: bool) -> SimulateError {
    let mut message = reason.to_owned();
    if gas_capped {
        message.push_str(" (its gas limit was lowered to what the server's gas cap left)");
    }
    SimulateError {
        code: SimulateError::VM_EXECUTION_ERROR_CODE,
        message,
        data: None,
    }
}
