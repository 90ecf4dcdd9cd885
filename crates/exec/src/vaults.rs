//! What transactions pay to the accounts that collect fees.

use alloy_primitives::{Address, U256};
use op_revm::constants::{BASE_FEE_RECIPIENT, L1_FEE_RECIPIENT, OPERATOR_FEE_RECIPIENT};

/// Accounts that every signed transaction pays.
pub(crate) const VAULTS: usize = 4;

/// The accounts that collect the fees of a block, in the order in which a transaction pays them:
/// priority fee, L1 data fee, base fee, operator fee. Some may be the same account.
pub(crate) const fn vaults(fee_recipient: Address) -> [Address; VAULTS] {
    [
        fee_recipient,
        L1_FEE_RECIPIENT,
        BASE_FEE_RECIPIENT,
        OPERATOR_FEE_RECIPIENT,
    ]
}

/// What one transaction pays to each of [`vaults`], in wei. `None`: the journal has it already,
/// because the transaction itself looked at that account (or pays no fees at all).
///
/// A payment of zero is a payment: it touches the account, and EIP-161 removes it if it is empty.
pub(crate) type Credits = [Option<U256>; VAULTS];
