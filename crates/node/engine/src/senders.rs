//! Decoded transactions with their senders, no signature recovered twice.

use std::sync::Arc;

use alloy_primitives::{Bytes, keccak256};
use blockwright_pool::Pool;
use blockwright_state::Store;
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

/// Decodes a block's transactions. Those that are pooled or in a canonical block are taken from
/// there; the senders of the rest are recovered on all cores.
///
/// # Errors
/// The first that is no transaction, or has a signature of nobody.
pub fn decode_all(
    pool: &Pool,
    store: &Store,
    encoded: &[Bytes],
) -> Result<Vec<SharedTx>, BadTransaction> {
    let one = |(index, bytes): (usize, &Bytes)| {
        if let Some(known) = find(pool, store, bytes) {
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

fn find(pool: &Pool, store: &Store, encoded: &Bytes) -> Option<SharedTx> {
    // A deposit names its sender.
    if encoded.first() == Some(&DEPOSIT_TX_TYPE) {
        return None;
    }
    let hash = keccak256(encoded);
    pool.get(&hash).or_else(|| {
        let (block, index) = store.transaction(hash)?;
        block.transactions().nth(index).map(Arc::clone)
    })
}
