//! From genesis and log back to the last acknowledged state.

use std::path::Path;
use std::sync::Arc;

use alloy_primitives::{B256, U256};
use blockwright_types::SealedBlock;

use super::Genesis;
use super::chain::{Chain, Replay, window_floor};
use super::index::TxIndex;
use super::layer::Layer;
use crate::config::{Durability, StoreConfig};
use crate::delta::State;
use crate::error::StateError;
use crate::log::{Log, Opened};

/// A store's memory as it was.
pub(super) struct Recovered {
    pub(super) chain: Chain,
    pub(super) transactions: TxIndex,
    pub(super) log: Option<Log>,
}

pub(super) fn recover(config: &StoreConfig, genesis: Genesis) -> Result<Recovered, StateError> {
    let genesis = Arc::new(genesis_layer(genesis)?);
    match &config.durability {
        Durability::Memory => Ok(Recovered {
            chain: Chain::new(genesis),
            transactions: TxIndex::default(),
            log: None,
        }),
        Durability::Directory(directory) => replay(config, directory, genesis),
    }
}

fn genesis_layer(genesis: Genesis) -> Result<Layer, StateError> {
    let mut state = State::default();
    state.apply(&genesis.changes)?;
    let delta = state.close(B256::ZERO)?;
    if delta.roots().state != genesis.header.state_root {
        return Err(StateError::GenesisRoot {
            header: genesis.header.state_root,
            computed: delta.roots().state,
        });
    }
    let block = SealedBlock {
        header: genesis.header,
        hash: genesis.hash,
        parts: Vec::new(),
        value: U256::ZERO,
    };
    Ok(Layer::genesis(Arc::new(block), delta))
}

/// Lays the logged blocks over genesis. Roots are computed, and checked against the headers, only
/// for the blocks whose states are held.
fn replay(
    config: &StoreConfig,
    directory: &Path,
    genesis: Arc<Layer>,
) -> Result<Recovered, StateError> {
    let Opened {
        log,
        blocks,
        labels,
    } = Log::open(directory, genesis.at(), config.segment_bytes)?;
    let Some(labels) = labels else {
        return Ok(Recovered {
            chain: Chain::new(genesis),
            transactions: TxIndex::default(),
            log: Some(log),
        });
    };
    let floor = window_floor(&labels, genesis.number(), config);
    let reader = log.reader();
    let mut state = genesis.delta.state.clone();
    let mut ancestors = genesis.ancestors().clone();
    let mut replay = Replay::new(genesis);
    let mut transactions = TxIndex::default();
    for logged in blocks {
        let block = reader.replayed(logged.location)?;
        state.apply(&block.changes)?;
        ancestors = ancestors.child(logged.hash);
        let layer = if block.header.number >= floor {
            let delta = state.close(block.header.parent_hash)?;
            check_root(&block.header.state_root, &delta.roots().state, logged.hash)?;
            let block = Arc::new(reader.block(logged.location)?);
            Some(Arc::new(Layer::new(block, delta, ancestors.clone())))
        } else {
            None
        };
        let hashes = block.transactions.into_iter();
        let limit = config.transactions_indexed_max;
        transactions.insert_block(block.header.number, hashes, limit);
        replay.block(logged.hash, logged.location, layer, config);
    }
    tracing::info!(
        number = labels.head.number,
        hash = %labels.head.hash,
        "recovered the chain from the log"
    );
    Ok(Recovered {
        chain: replay.finish(labels, config),
        transactions,
        log: Some(log),
    })
}

fn check_root(header: &B256, delta: &B256, hash: B256) -> Result<(), StateError> {
    if header == delta {
        return Ok(());
    }
    Err(StateError::RootMismatch {
        hash,
        header: *header,
        delta: *delta,
    })
}
