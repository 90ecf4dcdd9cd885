//! A block's body against its header.

use alloy_consensus::Header;
use alloy_primitives::B256;
use alloy_trie::root::ordered_trie_root_encoded;

/// Why a body does not belong to a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The transactions are not those of the header.
    #[error("transactionsRoot {header} is not the root of the transactions, {computed}")]
    TransactionsRoot {
        /// Root of the header.
        header: B256,
        /// Root of the body.
        computed: B256,
    },
    /// Withdrawals are given before Canyon.
    #[error("withdrawals are not allowed before Canyon")]
    WithdrawalsUnexpected,
    /// No list of withdrawals is given from Canyon on.
    #[error("withdrawals are required from Canyon (an empty list)")]
    WithdrawalsMissing,
    /// Withdrawals are given; there are none on an OP Stack chain.
    #[error("withdrawals must be empty, got {0}")]
    WithdrawalsNotEmpty(usize),
}

/// Root of the transactions trie over EIP-2718 bytes in block order.
pub fn transactions_root<T: AsRef<[u8]>>(encoded: &[T]) -> B256 {
    ordered_trie_root_encoded(encoded)
}

impl crate::ChainSpec {
    /// Checks the body's EIP-2718 transactions and the number of withdrawals (`None`: no list)
    /// against `header`.
    pub fn check_body<T: AsRef<[u8]>>(
        &self,
        header: &Header,
        transactions: &[T],
        withdrawals: Option<usize>,
    ) -> Result<(), BodyError> {
        let canyon = self.fork_at(header.timestamp) >= blockwright_types::OpFork::Canyon;
        match (withdrawals, canyon) {
            (None, false) | (Some(0), true) => {}
            (None, true) => return Err(BodyError::WithdrawalsMissing),
            (Some(_), false) => return Err(BodyError::WithdrawalsUnexpected),
            (Some(count), true) => return Err(BodyError::WithdrawalsNotEmpty(count)),
        }
        let computed = transactions_root(transactions);
        if computed != header.transactions_root {
            return Err(BodyError::TransactionsRoot {
                header: header.transactions_root,
                computed,
            });
        }
        Ok(())
    }
}
