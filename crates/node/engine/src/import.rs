//! Import of one payload: check, execute, compare, insert.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_chain::{ChainSpec, HeaderError};
use blockwright_exec::{ExecError, Executed, assemble_header, execute_block};
use blockwright_pool::Pool;
use blockwright_state::{StateError, Store, TrieDelta};
use blockwright_types::{OpFork, SealedBlock};

use crate::senders::decode_all;
use crate::{EngineError, ExecutionPayload};

/// What became of a payload.
#[derive(Debug)]
pub(crate) enum Imported {
    /// It is held now.
    Valid,
    /// It breaks a rule.
    Invalid(String),
}

/// What importing works with.
pub(crate) struct Importer<'a> {
    pub(crate) chain: &'a ChainSpec,
    pub(crate) store: &'a Store,
    pub(crate) pool: &'a Pool,
}

impl Importer<'_> {
    /// Whether the payload's hash is that of its header.
    pub(crate) fn header(
        &self,
        payload: &ExecutionPayload,
        parent_beacon_block_root: Option<B256>,
    ) -> Result<Header, String> {
        let fork = self.chain.fork_at(payload.timestamp);
        shape(payload, fork, parent_beacon_block_root)?;
        let header = payload.header(fork, parent_beacon_block_root);
        let hash = header.hash_slow();
        if hash != payload.block_hash {
            return Err(format!(
                "blockhash mismatch: payload says {}, its fields hash to {hash}",
                payload.block_hash
            ));
        }
        Ok(header)
    }

    /// Executes the block on `parent` and inserts it.
    ///
    /// # Errors
    /// Only what says nothing about the block: state that is not held, failing reads.
    pub(crate) fn execute(
        &self,
        payload: &ExecutionPayload,
        header: Header,
        parent: &Header,
    ) -> Result<Imported, EngineError> {
        let context = match self.chain.context_for_header(parent, &header) {
            Ok(context) => context,
            Err(error) => return Ok(invalid_header(&error)),
        };
        let transactions = match decode_all(self.pool, &payload.transactions) {
            Ok(transactions) => transactions,
            Err(bad) => {
                return Ok(Imported::Invalid(format!(
                    "transaction {}: {}",
                    bad.index, bad.error
                )));
            }
        };
        let reader = self
            .store
            .reader(header.parent_hash)
            .ok_or(EngineError::StateUnavailable(header.parent_hash))?;
        let executed = match execute_block(context.clone(), reader, &transactions) {
            Ok(executed) => executed,
            Err(ExecError::InvalidTransaction { index, reason }) => {
                return Ok(Imported::Invalid(format!("transaction {index}: {reason}")));
            }
            Err(error) => return Err(EngineError::Internal(error.to_string())),
        };
        let changes = executed.part.net_changes();
        let (roots, delta) = self.store.roots_after(header.parent_hash, &changes)?;
        let computed = assemble_header(&context, &executed.totals, &roots);
        if let Some(mismatch) = first_difference(&header, &computed) {
            return Ok(Imported::Invalid(mismatch));
        }
        self.insert(header, payload.block_hash, executed, delta)
    }

    fn insert(
        &self,
        header: Header,
        hash: B256,
        executed: Executed,
        delta: TrieDelta,
    ) -> Result<Imported, EngineError> {
        let parts = vec![Arc::new(executed.part)];
        let block = SealedBlock {
            header,
            hash,
            parts,
            value: executed.value,
        };
        match self.store.insert(Arc::new(block), delta) {
            Ok(()) => Ok(Imported::Valid),
            Err(error @ StateError::RootMismatch { .. }) => {
                Ok(Imported::Invalid(error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn invalid_header(error: &HeaderError) -> Imported {
    Imported::Invalid(error.to_string())
}

/// Whether the fork's optional fields are there and no others.
fn shape(
    payload: &ExecutionPayload,
    fork: OpFork,
    parent_beacon_block_root: Option<B256>,
) -> Result<(), String> {
    let expect = |name: &str, present: bool, since: OpFork| {
        let wanted = fork >= since;
        if present == wanted {
            Ok(())
        } else if wanted {
            Err(format!("{name} is required under {fork}"))
        } else {
            Err(format!("{name} is not allowed under {fork}"))
        }
    };
    expect("withdrawals", payload.withdrawals.is_some(), OpFork::Canyon)?;
    expect(
        "blobGasUsed",
        payload.blob_gas_used.is_some(),
        OpFork::Ecotone,
    )?;
    expect(
        "excessBlobGas",
        payload.excess_blob_gas.is_some(),
        OpFork::Ecotone,
    )?;
    expect(
        "parentBeaconBlockRoot",
        parent_beacon_block_root.is_some(),
        OpFork::Ecotone,
    )?;
    expect(
        "withdrawalsRoot",
        payload.withdrawals_root.is_some(),
        OpFork::Isthmus,
    )?;
    match &payload.withdrawals {
        Some(list) if !list.is_empty() => Err("withdrawals must be empty".to_owned()),
        _ if payload.base_fee_per_gas > alloy_primitives::U256::from(u64::MAX) => {
            Err("baseFeePerGas exceeds 64 bits".to_owned())
        }
        _ => Ok(()),
    }
}

/// Names the first field of the header that execution contradicts.
fn first_difference(header: &Header, computed: &Header) -> Option<String> {
    let differs = |name: &str, given: String, found: String| {
        (given != found).then(|| format!("{name} is {given}, execution gives {found}"))
    };
    differs(
        "gasUsed",
        header.gas_used.to_string(),
        computed.gas_used.to_string(),
    )
    .or_else(|| {
        differs(
            "blobGasUsed",
            format!("{:?}", header.blob_gas_used),
            format!("{:?}", computed.blob_gas_used),
        )
    })
    .or_else(|| {
        let found = computed.receipts_root.to_string();
        differs("receiptsRoot", header.receipts_root.to_string(), found)
    })
    .or_else(|| {
        let (given, found) = (header.logs_bloom, computed.logs_bloom);
        (given != found).then(|| "logsBloom contradicts the receipts".to_owned())
    })
    .or_else(|| {
        differs(
            "stateRoot",
            header.state_root.to_string(),
            computed.state_root.to_string(),
        )
    })
    .or_else(|| {
        differs(
            "withdrawalsRoot",
            format!("{:?}", header.withdrawals_root),
            format!("{:?}", computed.withdrawals_root),
        )
    })
    .or_else(|| (header != computed).then(|| "the header contradicts the execution".to_owned()))
}
