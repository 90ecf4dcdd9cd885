//! Import of one block: check, execute, compare, insert.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::U256;
use blockwright_chain::ChainSpec;
use blockwright_exec::{ExecError, Executed, assemble_header, execute_block};
use blockwright_pool::Pool;
use blockwright_state::{Store, TrieDelta};
use blockwright_types::{BlockContext, SealedBlock, SharedTx};

use crate::difference::first_difference;
use crate::incoming::Incoming;
use crate::senders::decode_all;
use crate::{EngineError, ExecutionPayload};

/// What became of a block.
#[derive(Debug)]
pub(crate) enum Imported {
    /// It is held now.
    Valid,
    /// It breaks this rule.
    Invalid(String),
}

/// What importing works with.
pub(crate) struct Importer<'a> {
    pub(crate) chain: &'a ChainSpec,
    pub(crate) store: &'a Store,
    pub(crate) pool: &'a Pool,
}

impl Importer<'_> {
    /// The payload's header, whose hash is the payload's.
    pub(crate) fn header(&self, incoming: &Incoming) -> Result<Header, String> {
        let payload = &incoming.payload;
        let fork = self.chain.fork_at(payload.timestamp);
        if let Some(withdrawals) = &payload.withdrawals
            && !withdrawals.is_empty()
        {
            let count = withdrawals.len();
            return Err(format!("withdrawals must be empty, got {count}"));
        }
        if payload.base_fee_per_gas > U256::from(u64::MAX) {
            return Err("baseFeePerGas exceeds 64 bits".to_owned());
        }
        let header = payload.header(fork, incoming.parent_beacon_block_root);
        let hash = header.hash_slow();
        if hash == payload.block_hash {
            Ok(header)
        } else {
            let given = payload.block_hash;
            Err(format!(
                "blockHash is {given}, the payload's fields hash to {hash}"
            ))
        }
    }

    /// Executes the block on its parent, whose state is held, and inserts it.
    ///
    /// # Errors
    /// Only what says nothing about the block: state that is not held, failing reads.
    pub(crate) fn execute(
        &self,
        payload: &ExecutionPayload,
        header: Header,
    ) -> Result<Imported, EngineError> {
        let parent = header.parent_hash;
        let gone = || EngineError::StateUnavailable(parent);
        let parent_header = self.store.header(parent).ok_or_else(gone)?;
        let context = match self.chain.context_for_header(&parent_header, &header) {
            Ok(context) => context,
            Err(error) => return Ok(Imported::Invalid(error.to_string())),
        };
        let encoded = &payload.transactions;
        let transactions = match decode_all(self.pool, self.store, encoded) {
            Ok(transactions) => transactions,
            Err(bad) => {
                return Ok(Imported::Invalid(bad.to_string()));
            }
        };
        match self.run(&context, &header, &transactions)? {
            Ok((executed, delta)) => {
                let block = SealedBlock {
                    header,
                    hash: payload.block_hash,
                    parts: vec![Arc::new(executed.part)],
                    value: executed.value,
                };
                self.store.insert(Arc::new(block), delta)?;
                Ok(Imported::Valid)
            }
            Err(reason) => Ok(Imported::Invalid(reason)),
        }
    }

    /// Executes, computes the roots and compares; the inner error is what makes the block invalid.
    fn run(
        &self,
        context: &BlockContext,
        header: &Header,
        transactions: &[SharedTx],
    ) -> Result<Result<(Executed, TrieDelta), String>, EngineError> {
        let parent = header.parent_hash;
        let reader = self
            .store
            .reader(parent)
            .ok_or(EngineError::StateUnavailable(parent))?;
        let executed = match execute_block(context.clone(), reader, transactions) {
            Ok(executed) => executed,
            Err(ExecError::InvalidTransaction { index, reason }) => {
                return Ok(Err(format!("transaction {index}: {reason}")));
            }
            Err(error) => return Err(EngineError::Internal(error.to_string())),
        };
        let changes = executed.part.net_changes();
        let (roots, delta) = self.store.roots_after(parent, &changes)?;
        let computed = assemble_header(context, &executed.totals, &roots);
        Ok(match first_difference(header, &computed) {
            Some(difference) => Err(difference),
            None => Ok((executed, delta)),
        })
    }
}
