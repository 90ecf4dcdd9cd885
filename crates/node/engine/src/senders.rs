//! Decoded transactions with their senders, no signature recovered twice.

use std::sync::Arc;

use alloy_primitives::{Bytes, keccak256};
use blockwright_pool::Pool;
use blockwright_types::{SharedTx, TxDecodeError, decode_recovered};
use rayon::prelude::*;

/// A transaction that cannot be used, with its place.
#[derive(Debug)]
pub(crate) struct BadTransaction {
    pub(crate) index: usize,
    pub(crate) error: TxDecodeError,
}

/// Fewer transactions than this are not worth waking other threads for.
const PARALLEL_FROM: usize = 8;

/// Decodes a block's transactions. Those that are pooled are taken from there; the senders of the rest
/// are recovered on all cores.
pub(crate) fn decode_all(pool: &Pool, encoded: &[Bytes]) -> Result<Vec<SharedTx>, BadTransaction> {
    let one = |(index, bytes): (usize, &Bytes)| {
        if let Some(known) = pool.get(&keccak256(bytes)) {
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
