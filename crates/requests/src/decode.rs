//! Decoded transactions with their senders, no signature recovered twice.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, keccak256};
use blockwright_types::{DEPOSIT_TX_TYPE, SharedTx, TxDecodeError, decode_recovered};
use rayon::prelude::*;

/// A transaction that cannot be used, with its place.
#[derive(Debug, thiserror::Error)]
#[error("transaction {index}: {error}")]
pub struct BadTransaction {
    /// Position in the list, from 0.
    pub index: usize,
    /// What is wrong.
    #[source]
    pub error: TxDecodeError,
}

/// Fewer transactions than this are not worth waking other threads for.
const PARALLEL_FROM: usize = 8;

/// Decodes a block's transactions. Those that `known` gives by their hash are taken from there; the senders of
/// the rest are recovered on all cores.
///
/// # Errors
/// The first that is no transaction, or has a signature of nobody.
pub fn decode_all(
    encoded: &[Bytes],
    known: impl Fn(&B256) -> Option<SharedTx> + Sync,
) -> Result<Vec<SharedTx>, BadTransaction> {
    let one = |(index, bytes): (usize, &Bytes)| {
        // A deposit names its sender.
        let is_signed = bytes.first() != Some(&DEPOSIT_TX_TYPE);
        if let Some(known) = is_signed.then(|| known(&keccak256(bytes))).flatten() {
            return Ok(known);
        }
        decode_recovered(bytes.clone())
            .map(Arc::new)
            .map_err(|error| BadTransaction { index, error })
    };
    if encoded.len() < PARALLEL_FROM {
        encoded.iter().enumerate().map(one).collect()
    } else {
        encoded.par_iter().enumerate().map(one).collect()
    }
}
