//! The engine: what a consensus client asks for, as typed calls.

use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use alloy_rpc_types_engine::{
    ForkchoiceState, ForkchoiceUpdated, PayloadStatus, PayloadStatusEnum,
};
use blockwright_chain::ChainSpec;
use blockwright_pool::Pool;
use blockwright_service::BuilderHandle;
use blockwright_state::{CanonUpdate, Store};
use blockwright_types::{OpFork, PayloadId, SealedBlock};
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use parking_lot::Mutex;

use crate::import::{Imported, Importer};
use crate::invalid::{Invalid, InvalidBlocks};
use crate::orphans::{Orphan, Orphans};
use crate::payloads::Payloads;
use crate::view::head_view;
use crate::{
    EmbeddedHost, EngineConfig, EngineDeps, EngineError, ExecutionPayload, ForkchoiceVersion,
    GetPayloadVersion, Heads, NewPayloadVersion, PayloadEnvelope, metrics,
};

/// The consensus client's counterpart. Clones share everything.
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
    pub(crate) clock: Arc<dyn blockwright_seams::Clock>,
    pub(crate) heads: Heads,
    pub(crate) payloads: Mutex<Payloads>,
    invalid: Mutex<InvalidBlocks>,
    orphans: Mutex<Orphans>,
    /// One import at a time: the next block needs the one before it.
    importing: tokio::sync::Mutex<()>,
    /// Fork choices take effect in the order they arrive.
    pub(crate) choosing: tokio::sync::Mutex<()>,
}

impl Engine {
    /// An engine over `deps`; the pool is put on the stored head.
    pub fn new(config: EngineConfig, deps: EngineDeps) -> Result<Self, EngineError> {
        let inner = Inner {
            config,
            chain: deps.chain,
            store: deps.store,
            pool: deps.pool,
            builder: deps.builder,
            clock: deps.clock,
            heads: Heads::new(),
            payloads: Mutex::default(),
            invalid: Mutex::new(InvalidBlocks::new(config.invalid_max)),
            orphans: Mutex::new(Orphans::new(config.orphans_max)),
            importing: tokio::sync::Mutex::default(),
            choosing: tokio::sync::Mutex::default(),
        };
        let head = inner.store.head();
        let block = inner
            .store
            .block_by_hash(head.hash)
            .ok_or(EngineError::StateUnavailable(head.hash))?;
        inner.pool.on_head_jump(inner.view_of(&block)?);
        inner.heads.publish(block, Arc::new(CanonUpdate::default()));
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

    /// `engine_forkchoiceUpdatedV1` to `V3` (execution-apis; OP exec-engine "Engine API usage").
    ///
    /// The new head is durable before this returns. Attributes start a payload, whose first block
    /// (the attributes' own transactions) exists before its id is answered; attributes that break a
    /// rule are refused by name while the fork choice still holds.
    pub async fn fork_choice_updated(
        &self,
        version: ForkchoiceVersion,
        state: ForkchoiceState,
        attributes: Option<OpPayloadAttributes>,
    ) -> Result<ForkchoiceUpdated, EngineError> {
        let started = Instant::now();
        let result = self.inner.fork_choice(version, state, attributes).await;
        metrics::call("forkchoiceUpdated", started.elapsed());
        result
    }

    /// `engine_getPayloadV2` to `V5`: ends the building of `id` and answers its best block from
    /// memory.
    pub async fn get_payload(
        &self,
        version: GetPayloadVersion,
        id: PayloadId,
    ) -> Result<PayloadEnvelope, EngineError> {
        let started = Instant::now();
        let timestamp = self
            .inner
            .payloads
            .lock()
            .timestamp(id)
            .ok_or(EngineError::UnknownPayload(id))?;
        let fork = self.inner.chain.fork_at(timestamp);
        version.check(fork)?;
        let best = self.inner.builder.resolve(id)?;
        let envelope = PayloadEnvelope::of_block(&best.block, fork);
        metrics::call("getPayload", started.elapsed());
        Ok(envelope)
    }

    /// `engine_newPayloadV1` to `V4`. A block that our own builder made is taken over; any other is
    /// executed. A payload with an unknown parent is remembered and answered with SYNCING.
    pub async fn new_payload(
        &self,
        version: NewPayloadVersion,
        payload: ExecutionPayload,
        parent_beacon_block_root: Option<B256>,
    ) -> Result<PayloadStatus, EngineError> {
        let started = Instant::now();
        version.check(self.inner.chain.fork_at(payload.timestamp))?;
        let _one_at_a_time = self.inner.importing.lock().await;
        let inner = Arc::clone(&self.inner);
        let orphan = Orphan {
            payload,
            parent_beacon_block_root,
        };
        let status = blocking(move || inner.import_with_children(&orphan)).await??;
        metrics::call("newPayload", started.elapsed());
        metrics::payload_status(status.status.as_str());
        Ok(status)
    }
}

/// Runs work that computes or waits for the disk off the async workers.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| EngineError::Internal(format!("worker: {error}")))
}

pub(crate) fn status(status: PayloadStatusEnum, latest_valid: Option<B256>) -> PayloadStatus {
    PayloadStatus {
        status,
        latest_valid_hash: latest_valid,
    }
}

impl Inner {
    pub(crate) fn view_of(
        &self,
        block: &SealedBlock,
    ) -> Result<blockwright_pool::HeadView, EngineError> {
        let reader = self
            .store
            .reader(block.hash)
            .ok_or(EngineError::StateUnavailable(block.hash))?;
        let parent = self
            .store
            .header(block.header.parent_hash)
            .map(|header| header.timestamp);
        head_view(&self.chain, block, parent, reader)
            .map_err(|error| EngineError::Internal(error.to_string()))
    }

    pub(crate) fn invalid(&self, hash: &B256) -> Option<PayloadStatus> {
        let blocks = self.invalid.lock();
        let invalid = blocks.get(hash)?;
        let validation_error = invalid.reason.clone();
        Some(status(
            PayloadStatusEnum::Invalid { validation_error },
            invalid.latest_valid,
        ))
    }

    fn import_with_children(&self, orphan: &Orphan) -> Result<PayloadStatus, EngineError> {
        let status = self.import(orphan)?;
        let mut parents = vec![orphan.payload.block_hash];
        while status.is_valid()
            && let Some(parent) = parents.pop()
        {
            let children = self.orphans.lock().take_children(&parent);
            for child in children {
                if self.import(&child)?.is_valid() {
                    parents.push(child.payload.block_hash);
                }
            }
        }
        Ok(status)
    }

    fn import(&self, orphan: &Orphan) -> Result<PayloadStatus, EngineError> {
        let payload = &orphan.payload;
        let hash = payload.block_hash;
        if let Some(known) = self.invalid(&hash) {
            return Ok(known);
        }
        let fork = self.chain.fork_at(payload.timestamp);
        if self.take_over(orphan, fork)? {
            return Ok(status(PayloadStatusEnum::Valid, Some(hash)));
        }
        let importer = Importer {
            chain: &self.chain,
            store: &self.store,
            pool: &self.pool,
        };
        let header = match importer.header(payload, orphan.parent_beacon_block_root) {
            Ok(header) => header,
            // The hash names another block: nothing is known about that one.
            Err(validation_error) => {
                tracing::warn!(number = payload.block_number, %hash, %validation_error, "payload refused");
                return Ok(status(
                    PayloadStatusEnum::Invalid { validation_error },
                    None,
                ));
            }
        };
        if self.store.contains(hash) {
            return Ok(status(PayloadStatusEnum::Valid, Some(hash)));
        }
        if let Some(parent) = self.invalid.lock().get(&payload.parent_hash).cloned() {
            return Ok(self.mark_invalid(hash, parent));
        }
        let Some(parent) = self.store.header(payload.parent_hash) else {
            if self.orphans.lock().insert(orphan.clone()) {
                metrics::orphan_dropped();
            }
            return Ok(status(PayloadStatusEnum::Syncing, None));
        };
        match importer.execute(payload, header, &parent)? {
            Imported::Valid => {
                metrics::imported("executed");
                tracing::info!(
                    number = payload.block_number,
                    %hash,
                    transactions = payload.transactions.len(),
                    gas_used = payload.gas_used,
                    "imported"
                );
                Ok(status(PayloadStatusEnum::Valid, Some(hash)))
            }
            Imported::Invalid(reason) => {
                let latest_valid = Some(payload.parent_hash);
                Ok(self.mark_invalid(
                    hash,
                    Invalid {
                        latest_valid,
                        reason,
                    },
                ))
            }
        }
    }

    /// Imports our own builder's block without a second execution. `false` if it is not ours.
    fn take_over(&self, orphan: &Orphan, fork: OpFork) -> Result<bool, EngineError> {
        let payload = &orphan.payload;
        let Some(best) = self.builder.built(payload.block_hash) else {
            return Ok(false);
        };
        let same_root =
            best.block.header.parent_beacon_block_root == orphan.parent_beacon_block_root;
        if !same_root || !payload.is_of(&best.block, fork) {
            return Ok(false);
        }
        if !self.store.contains(payload.block_hash) {
            self.store.insert(Arc::clone(&best.block), best.artifact)?;
            metrics::imported("built");
        }
        Ok(true)
    }

    fn mark_invalid(&self, hash: B256, invalid: Invalid) -> PayloadStatus {
        tracing::warn!(%hash, reason = %invalid.reason, "invalid block");
        let answer = status(
            PayloadStatusEnum::Invalid {
                validation_error: invalid.reason.clone(),
            },
            invalid.latest_valid,
        );
        self.invalid.lock().insert(hash, invalid);
        answer
    }
}
