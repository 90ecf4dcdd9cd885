//! What the pool asks of the node it runs in.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_types::{OpFork, RecoveredTx};

/// What kind of code an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountCode {
    /// No code.
    #[default]
    None,
    /// An EIP-7702 delegation (`0xef0100` and an address): the account may still send.
    Delegation,
    /// A contract: by EIP-3607 the account cannot send.
    Contract,
}

/// An account as far as the pool needs it. An account that does not exist is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// Next nonce.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Its code.
    pub code: AccountCode,
}

/// Accounts after one block. Called from intake and job threads; a call should cost no more than
/// a read of memory.
pub trait AccountView: Send + Sync {
    /// The account at `address`; the default where there is none.
    fn account(&self, address: Address) -> Result<AccountFacts, ViewError>;
}

/// What a transaction pays beside gas and value in the next block.
pub trait RollupFeeView: Send + Sync {
    /// L1 data fee and operator fee (for the whole gas limit) of `tx`, in wei.
    fn cost(&self, tx: &RecoveredTx) -> U256;
}

/// Stored state could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ViewError(pub String);

/// The head of the chain and the rules of the block after it.
#[derive(Clone)]
pub struct HeadView {
    /// Hash of the head.
    pub hash: B256,
    /// Number of the head.
    pub number: u64,
    /// Fork of the next block.
    pub fork: OpFork,
    /// Base fee of the next block, in wei.
    pub base_fee: u64,
    /// Gas limit of the next block.
    pub gas_limit: u64,
    /// Accounts after the head.
    pub accounts: Arc<dyn AccountView>,
    /// Rollup fees of the next block.
    pub fees: Arc<dyn RollupFeeView>,
}

impl fmt::Debug for HeadView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadView")
            .field("hash", &self.hash)
            .field("number", &self.number)
            .field("fork", &self.fork)
            .field("base_fee", &self.base_fee)
            .field("gas_limit", &self.gas_limit)
            .finish_non_exhaustive()
    }
}
