//! From genesis and log back to the last acknowledged state.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use blockwright_types::SealedBlock;

use super::Genesis;
use super::chain::{Chain, Layer};
use crate::config::{Durability, StoreConfig};
use crate::delta::State;
use crate::error::StateError;
use crate::log::Log;

/// A store's memory as it was.
pub(super) struct Recovered {
    pub(super) chain: Chain,
    pub(super) log: Option<Log>,
}

pub(super) fn recover(config: &StoreConfig, genesis: Genesis) -> Result<Recovered, StateError> {
    let chain = Chain::new(Arc::new(genesis_layer(genesis)?));
    match &config.durability {
        Durability::Memory => Ok(Recovered { chain, log: None }),
        Durability::Directory(path) => Err(StateError::Locked(path.clone())),
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
