//! A whole node without ports that follows.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_rpc_types_engine::{ForkchoiceState, PayloadStatus};
use blockwright_chain::ChainSpec;
use blockwright_engine::{
    EmbeddedHost, Engine, EngineConfig, EngineDeps, ExecutionPayload, ForkchoiceVersion,
    NewPayloadVersion, PayloadEnvelope, Preconfirmed,
};
use blockwright_follow::{FollowDeps, Handover, ReplicaDeps};
use blockwright_pending::{Pending, PendingBlock, PendingFeed, pending};
use blockwright_pool::{Pool, PoolConfig};
use blockwright_service::{BuilderHandle, BuilderService, ServiceConfig, SystemClock};
use blockwright_state::Store;
use blockwright_testkit::{ManualClock, RecordingSink};
use blockwright_types::{SealedBlock, UnixUs};

use crate::author::{FORK, open_store};

/// Time stands still: snapshots do not age.
pub const NOW: UnixUs = UnixUs(10_000_000);
/// Time between flashblocks, in microseconds.
pub const INTERVAL_US: u64 = 200_000;

pub struct Node {
    pub engine: Engine,
    pub store: Store,
    pub pool: Pool,
    pub handover: Handover,
    pub pending: Pending,
    feed: PendingFeed,
    chain: Arc<ChainSpec>,
    builder: BuilderHandle<EmbeddedHost>,
    service: tokio::task::JoinHandle<()>,
}

impl Node {
    pub fn new(chain: &Arc<ChainSpec>) -> Self {
        let store = open_store(chain);
        let pool = Pool::new(PoolConfig {
            intake_threads: 1,
            ..PoolConfig::new(chain.chain_id())
        });
        let host = EmbeddedHost::new(store.clone(), pool.clone());
        let sink = Arc::new(RecordingSink::default());
        let clock = Arc::new(SystemClock);
        let (service, builder) =
            BuilderService::new(ServiceConfig::default(), host, sink, clock.clone()).unwrap();
        let service = tokio::spawn(service.run());
        let handover = Handover::default();
        let deps = EngineDeps {
            chain: Arc::clone(chain),
            store: store.clone(),
            pool: pool.clone(),
            builder: builder.clone(),
            preconfirmed: Some(Arc::new(handover.clone()) as Arc<dyn Preconfirmed>),
            rival: None,
            clock,
        };
        let engine = Engine::new(EngineConfig::default(), deps).unwrap();
        let (feed, pending) = pending(INTERVAL_US, Arc::new(ManualClock::at(NOW)));
        Self {
            engine,
            store,
            pool,
            handover,
            pending,
            feed,
            chain: Arc::clone(chain),
            builder,
            service,
        }
    }

    pub fn replica_deps(&self) -> ReplicaDeps {
        ReplicaDeps {
            chain: Arc::clone(&self.chain),
            store: self.store.clone(),
            handover: self.handover.clone(),
        }
    }

    pub fn follow_deps(&self) -> FollowDeps {
        FollowDeps {
            replica: self.replica_deps(),
            pool: self.pool.clone(),
            feed: self.feed.clone(),
        }
    }

    /// What `pending` is.
    pub fn snapshot(&self) -> Option<Arc<PendingBlock>> {
        self.pending.current(&self.store.head(), NOW)
    }

    /// Hands a block in, and makes it the head.
    pub async fn adopt(&self, block: &SealedBlock) {
        assert!(self.import(block).await.is_valid());
        self.choose(block.hash).await;
    }

    /// Hands a block in, as a consensus client does.
    pub async fn import(&self, block: &SealedBlock) -> PayloadStatus {
        let envelope = PayloadEnvelope::of_block(block, FORK);
        let payload: ExecutionPayload = envelope.execution_payload;
        let beacon_root = envelope.parent_beacon_block_root;
        self.engine
            .new_payload(NewPayloadVersion::of(FORK), payload, beacon_root)
            .await
            .unwrap()
    }

    /// Makes a held block the head.
    pub async fn choose(&self, head: B256) {
        let state = ForkchoiceState {
            head_block_hash: head,
            safe_block_hash: B256::ZERO,
            finalized_block_hash: B256::ZERO,
        };
        let answer = self
            .engine
            .fork_choice_updated(ForkchoiceVersion::of(FORK), state, None)
            .await
            .unwrap();
        assert!(answer.is_valid(), "{answer:?}");
    }

    pub async fn stop(self) {
        self.builder.shutdown().await;
        self.service.await.unwrap();
    }
}
