//! A node in memory on such a chain.

use blockwright_engine::EmbeddedHost;
use blockwright_pool::{Pool, PoolConfig};
use blockwright_state::{Genesis, Store, StoreConfig};
use blockwright_types::OpFork;

use crate::chain::Chain;

/// A node in memory.
pub struct Node {
    pub chain: Chain,
    pub store: Store,
    pub host: EmbeddedHost,
}

impl Node {
    /// A node at the genesis of a chain that runs `fork`.
    pub fn new(fork: OpFork) -> Self {
        let chain = Chain::new(fork);
        let spec = &chain.spec;
        let genesis = Genesis {
            header: spec.genesis_header().clone(),
            hash: spec.genesis_hash(),
            changes: spec.genesis_changes().clone(),
        };
        let store = Store::open(StoreConfig::in_memory(), genesis).unwrap();
        // Scripts bring their own candidates; the pool is here because the host has one.
        let pool = Pool::new(PoolConfig {
            intake_threads: 1,
            ..PoolConfig::new(spec.chain_id())
        });
        let host = EmbeddedHost::new(store.clone(), pool);
        Self { chain, store, host }
    }
}
