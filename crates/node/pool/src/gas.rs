//! Gas that a transaction owes before its first instruction.

use alloy_consensus::Transaction;
use blockwright_types::OpFork;

const TX_BASE: u64 = 21_000;
const TX_CREATE: u64 = 32_000;
const ZERO_BYTE: u64 = 4;
const NONZERO_BYTE: u64 = 16;
const INITCODE_WORD: u64 = 2;
const ACCESS_LIST_ADDRESS: u64 = 2_400;
const ACCESS_LIST_KEY: u64 = 1_900;
const AUTHORIZATION: u64 = 25_000;
const FLOOR_PER_TOKEN: u64 = 10;
const TOKENS_PER_NONZERO_BYTE: u64 = 4;

/// EIP-3860: largest init code, in bytes (from Canyon).
pub(crate) const INITCODE_BYTES_MAX: usize = 49_152;
/// EIP-7825: largest gas limit of a transaction (from Karst).
pub(crate) const TX_GAS_CAP: u64 = 1 << 24;

/// Intrinsic gas: base, creation with its init code words (EIP-3860, from Canyon), call data
/// (EIP-2028), access list (EIP-2930), authorizations (EIP-7702).
pub fn intrinsic_gas(tx: &impl Transaction, fork: OpFork) -> u64 {
    let (zeros, nonzeros) = count_bytes(tx.input());
    let mut gas = TX_BASE + zeros * ZERO_BYTE + nonzeros * NONZERO_BYTE;
    if tx.is_create() {
        gas += TX_CREATE;
        if fork >= OpFork::Canyon {
            gas += (tx.input().len() as u64).div_ceil(32) * INITCODE_WORD;
        }
    }
    if let Some(list) = tx.access_list() {
        let keys: usize = list.iter().map(|item| item.storage_keys.len()).sum();
        gas += list.len() as u64 * ACCESS_LIST_ADDRESS + keys as u64 * ACCESS_LIST_KEY;
    }
    if let Some(list) = tx.authorization_list() {
        gas += list.len() as u64 * AUTHORIZATION;
    }
    gas
}

/// EIP-7623's floor (from Isthmus): what the transaction pays at least for its call data.
pub fn floor_gas(tx: &impl Transaction) -> u64 {
    let (zeros, nonzeros) = count_bytes(tx.input());
    TX_BASE + FLOOR_PER_TOKEN * (zeros + nonzeros * TOKENS_PER_NONZERO_BYTE)
}

fn count_bytes(input: &[u8]) -> (u64, u64) {
    let zeros = input.iter().filter(|&&byte| byte == 0).count();
    (zeros as u64, (input.len() - zeros) as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
