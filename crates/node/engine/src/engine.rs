//! The engine: what a consensus client asks for, as typed calls.

use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use alloy_rpc_types_engine::{
    ForkchoiceState, ForkchoiceUpdated, PayloadStatus, PayloadStatusEnum,
};
use blockwright_chain::ChainSpec;
use blockwright_pool::Pool;
use blockwright_requests::{Requests, RequestsConfig, RequestsDeps};
use blockwright_seams::Clock;
use blockwright_service::BuilderHandle;
use blockwright_state::{CanonUpdate, Store};
use blockwright_types::{OpFork, PayloadId, SealedBlock};
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use parking_lot::Mutex;

use crate::arriving::Arriving;
use crate::follower::{Audience, Follower};
use crate::incoming::Incoming;
use crate::invalid::InvalidBlocks;
use crate::node::EmbeddedNode;
use crate::orphans::Orphans;
use crate::rival::LastAnswer;
use crate::{
    EmbeddedHost, EngineConfig, EngineDeps, EngineError, ExecutionPayload, ForkchoiceVersion,
    GetPayloadVersion, Heads, NewPayloadVersion, PayloadEnvelope, Preconfirmed, Rival, metrics,
};

/// The consensus client's counterpart. Clones share everything.
///
/// No call waits for building. Calls may be dropped at any time: what they began is finished.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: EngineConfig,
    pub(crate) chain: Arc<ChainSpec>,
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) builder: BuilderHandle<EmbeddedHost>,
    pub(crate) preconfirmed: Option<Arc<dyn Preconfirmed>>,
    pub(crate) rival: Option<Arc<dyn Rival>>,
    pub(crate) last_answer: LastAnswer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) heads: Heads,
    /// What is asked of the builder.
    pub(crate) requests: Requests<EmbeddedHost>,
    pub(crate) node: Arc<EmbeddedNode>,
    pub(crate) invalid: Mutex<InvalidBlocks>,
    pub(crate) orphans: Mutex<Orphans>,
    /// Payloads that are being imported.
    pub(crate) arriving: Arc<Arriving>,
    /// One execution at a time: the next block needs the one before it. Held by blocking threads
    /// only, so that a call that is dropped cannot let go of it half-way.
    pub(crate) importing: Mutex<()>,
    /// Fork choices take effect one after the other. Held like `importing`.
    pub(crate) choosing: Mutex<()>,
    /// Told of them in the same order, under `choosing`.
    pub(crate) follower: Follower,
}

impl Engine {
    /// An engine over `deps`; the pool is put on the stored head.
    ///
    /// # Errors
    /// [`EngineError::StateUnavailable`] or [`EngineError::Internal`] where the stored head cannot
    /// be read, or no thread can be started.
    pub fn new(config: EngineConfig, deps: EngineDeps) -> Result<Self, EngineError> {
        let heads = Heads::new();
        let audience = Audience {
            chain: Arc::clone(&deps.chain),
            store: deps.store.clone(),
            pool: deps.pool.clone(),
            heads: heads.clone(),
        };
        let head = deps.store.head();
        let block = deps
            .store
            .block_by_hash(head.hash)
            .ok_or(EngineError::StateUnavailable(head.hash))?;
        deps.pool.on_head_jump(audience.view_of(&block)?);
        metrics::head(head.number);
        heads.publish(block, Arc::new(CanonUpdate::default()));
        let node = Arc::new(EmbeddedNode::new(deps.store.clone(), deps.pool.clone()));
        let requests = requests(&config, &deps, Arc::clone(&node));
        let inner = Inner {
            config,
            chain: deps.chain,
            store: deps.store,
            pool: deps.pool,
            builder: deps.builder,
            preconfirmed: deps.preconfirmed,
            rival: deps.rival,
            last_answer: LastAnswer::default(),
            clock: deps.clock,
            heads,
            requests,
            node,
            invalid: Mutex::new(InvalidBlocks::new(config.invalid_max)),
            orphans: Mutex::new(Orphans::new(
                config.orphans_max,
                config.orphans_size_bytes_max,
            )),
            arriving: Arc::default(),
            importing: Mutex::default(),
            choosing: Mutex::default(),
            follower: Follower::start(audience)?,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// News of the canonical chain.
    pub fn heads(&self) -> &Heads {
        &self.inner.heads
    }

    /// The chain's rules.
    pub fn chain(&self) -> &Arc<ChainSpec> {
        &self.inner.chain
    }

    /// Blocks and states.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What is asked of the builder, by the Engine API and beside it.
    pub fn requests(&self) -> &Requests<EmbeddedHost> {
        &self.inner.requests
    }

    /// `engine_forkchoiceUpdatedV1` to `V3` (execution-apis; OP exec-engine, "Engine API usage").
    ///
    /// The new head is durable before this returns. It may be any block whose state is held, also
    /// an ancestor of the present head: the blocks above it are reverted and attributes build on
    /// it, for that is how consensus clients reset. Attributes start a payload, whose
    /// first block (the attributes' own transactions) can be had before its id is answered.
    ///
    /// # Errors
    /// [`EngineError::InvalidForkChoice`] where safe or finalized block are not on the head's chain;
    /// nothing is changed then. Attributes that break a rule are refused by name, while the fork
    /// choice stands.
    pub async fn fork_choice_updated(
        &self,
        version: ForkchoiceVersion,
        state: ForkchoiceState,
        attributes: Option<OpPayloadAttributes>,
    ) -> Result<ForkchoiceUpdated, EngineError> {
        let started = Instant::now();
        let received_at = self.inner.clock.now();
        let chosen = self.inner.choose(state).await?;
        let answer = match attributes {
            Some(attributes) if chosen.is_valid() => {
                let head = state.head_block_hash;
                let attributes = Arc::new(attributes);
                let asked = Arc::clone(&attributes);
                let requests = self.requests().clone();
                let request =
                    blocking(move || requests.request(version, head, &asked, received_at));
                let request = request.await??;
                let id = self.requests().start_given(request, attributes).await?;
                ForkchoiceUpdated::new(chosen).with_payload_id(id)
            }
            _ => ForkchoiceUpdated::new(chosen),
        };
        metrics::call("forkchoiceUpdated", started.elapsed());
        Ok(answer)
    }

    /// `engine_getPayloadV1` to `V5`: ends the building of `id` and answers its best block from
    /// memory, or the better one of another builder where there is one to ask ([`Rival`]). V1 answers the envelope's `execution_payload` alone.
    ///
    /// # Errors
    /// [`EngineError::UnknownPayload`]; [`EngineError::UnsupportedFork`] where another version
    /// serves the payload's fork (the building goes on then).
    pub async fn get_payload(
        &self,
        version: GetPayloadVersion,
        id: PayloadId,
    ) -> Result<PayloadEnvelope, EngineError> {
        let (block, fork) = self.proposal(version, id).await?;
        Ok(PayloadEnvelope::of_block(&block, fork))
    }

    /// Ends the building of `id` and gives its best block, and the fork it is of.
    pub(crate) async fn resolve(
        &self,
        version: GetPayloadVersion,
        id: PayloadId,
    ) -> Result<(Arc<SealedBlock>, OpFork), EngineError> {
        let started = Instant::now();
        let payload = self.inner.builder.peek(id)?;
        let fork = self.inner.chain.fork_at(payload.header().timestamp);
        version.check(fork)?;
        let best = if payload.sealed().is_some() {
            self.inner.builder.resolve(id)?
        } else {
            // Its roots are still to be computed.
            let builder = self.inner.builder.clone();
            blocking(move || builder.resolve(id)).await??
        };
        self.inner.node.write_ahead(&best.block);
        metrics::call("getPayload", started.elapsed());
        Ok((best.block, fork))
    }

    /// The block with this hash, if our builder made it lately.
    pub(crate) fn built(&self, hash: B256) -> Option<Arc<SealedBlock>> {
        self.inner.builder.built(hash).map(|best| best.block)
    }

    /// `engine_newPayloadV1` to `V4`. A block that is held is answered at once, one that our own
    /// builder made or that was executed as flashblocks is taken over, any other is executed. A payload with an unknown parent is
    /// remembered and answered with SYNCING; it is imported once its parent is.
    ///
    /// # Errors
    /// [`EngineError::UnsupportedFork`] and [`EngineError::InvalidParams`] where version, fork and
    /// fields do not belong together; failures that say nothing about the block.
    pub async fn new_payload(
        &self,
        version: NewPayloadVersion,
        payload: ExecutionPayload,
        parent_beacon_block_root: Option<B256>,
    ) -> Result<PayloadStatus, EngineError> {
        let incoming = Incoming::new(payload, parent_beacon_block_root);
        self.handle_payload(version, incoming).await
    }

    /// See [`Self::new_payload`].
    pub(crate) async fn handle_payload(
        &self,
        version: NewPayloadVersion,
        incoming: Incoming,
    ) -> Result<PayloadStatus, EngineError> {
        let started = Instant::now();
        let payload = &incoming.payload;
        let fork = self.inner.chain.fork_at(payload.timestamp);
        version.check(fork)?;
        payload
            .check_fields(fork, incoming.parent_beacon_block_root)
            .map_err(|error| EngineError::InvalidParams(error.to_string()))?;
        let inner = Arc::clone(&self.inner);
        let arrival = self.inner.arriving.enter(payload.block_hash);
        let status = blocking(move || {
            let status = inner.new_payload(incoming);
            drop(arrival);
            status
        })
        .await??;
        metrics::call("newPayload", started.elapsed());
        metrics::payload_status(status.status.as_str());
        Ok(status)
    }
}

fn requests(
    config: &EngineConfig,
    deps: &EngineDeps,
    node: Arc<EmbeddedNode>,
) -> Requests<EmbeddedHost> {
    let config = RequestsConfig {
        payload_id_version: config.payload_id_version,
    };
    let deps = RequestsDeps {
        chain: Arc::clone(&deps.chain),
        node,
        host: EmbeddedHost::new(deps.store.clone(), deps.pool.clone()),
        builder: deps.builder.clone(),
        clock: Arc::clone(&deps.clock),
    };
    Requests::new(config, deps)
}

/// Runs work that computes or waits for the disk off the async workers. It goes on where the caller
/// stops waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| EngineError::Internal(format!("worker: {error}")))
}

pub(crate) const fn valid(hash: B256) -> PayloadStatus {
    PayloadStatus::new(PayloadStatusEnum::Valid, Some(hash))
}

pub(crate) const fn syncing() -> PayloadStatus {
    PayloadStatus::from_status(PayloadStatusEnum::Syncing)
}

pub(crate) const fn invalid(validation_error: String, latest_valid: Option<B256>) -> PayloadStatus {
    PayloadStatus::new(
        PayloadStatusEnum::Invalid { validation_error },
        latest_valid,
    )
}
