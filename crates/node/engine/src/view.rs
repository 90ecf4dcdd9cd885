//! The pool's view of the chain.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use blockwright_chain::{BaseFeeError, ChainSpec};
use blockwright_exec::RollupFees;
use blockwright_pool::{
    AccountCode, AccountFacts, AccountView, HeadView, RollupFeeView, ViewError,
};
use blockwright_state::{ReadError, StateReader};
use blockwright_types::{RecoveredTx, SealedBlock};

/// Accounts after one block.
pub(crate) struct StateAccounts(pub(crate) StateReader);

impl AccountView for StateAccounts {
    fn account(&self, address: Address) -> Result<AccountFacts, ViewError> {
        let Some(account) = self.0.account(&address) else {
            return Ok(AccountFacts::default());
        };
        let code = self
            .0
            .code(&account.code_hash)
            .map_or(AccountCode::None, |code| match code.as_ref() {
                [] => AccountCode::None,
                [0xef, 0x01, 0x00, ..] if code.len() == 23 => AccountCode::Delegation,
                _ => AccountCode::Contract,
            });
        Ok(AccountFacts {
            nonce: account.nonce,
            balance: account.balance,
            code,
        })
    }
}

/// Rollup fees of the next block.
struct NextBlockFees(RollupFees);

impl RollupFeeView for NextBlockFees {
    fn cost(&self, tx: &RecoveredTx) -> U256 {
        self.0.cost(tx)
    }
}

/// A view could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeadViewError {
    #[error("base fee after the head: {0}")]
    BaseFee(#[from] BaseFeeError),
    #[error("rollup fees: {0}")]
    Fees(#[from] ReadError),
}

/// A longer distance to the parent is a gap in the chain (or a genesis with timestamp 0), no block
/// time; in seconds.
const STEP_S_MAX: u64 = 12;

/// What the pool needs to know about `head`, whose state `reader` reads. The next block's timestamp is
/// not known before its attributes arrive; it is taken to follow as the head followed its parent.
pub(crate) fn head_view(
    chain: &ChainSpec,
    head: &SealedBlock,
    parent_timestamp: Option<u64>,
    reader: StateReader,
) -> Result<HeadView, HeadViewError> {
    let header = &head.header;
    let step = parent_timestamp.map_or(1, |parent| header.timestamp.saturating_sub(parent));
    let step = step.clamp(1, STEP_S_MAX);
    let timestamp = header.timestamp.saturating_add(step);
    let fork = chain.fork_at(timestamp);
    Ok(HeadView {
        hash: head.hash,
        number: header.number,
        fork,
        base_fee: chain.next_base_fee(header, timestamp)?,
        gas_limit: header.gas_limit,
        fees: Arc::new(NextBlockFees(RollupFees::read(&reader, fork)?)),
        accounts: Arc::new(StateAccounts(reader)),
    })
}
