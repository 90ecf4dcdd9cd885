//! Decoded transactions with their senders, no signature recovered twice.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use blockwright_pool::Pool;
use blockwright_requests::BadTransaction;
use blockwright_state::Store;
use blockwright_types::SharedTx;

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
    blockwright_requests::decode_all(encoded, |hash| known(pool, store, hash))
}

pub(crate) fn known(pool: &Pool, store: &Store, hash: &B256) -> Option<SharedTx> {
    pool.get(hash).or_else(|| {
        let (block, index) = store.transaction(*hash)?;
        block.transactions().nth(index).map(Arc::clone)
    })
}
