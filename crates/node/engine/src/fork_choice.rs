//! Fork choice and the start of payloads.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_rpc_types_engine::{ForkchoiceState, ForkchoiceUpdated, PayloadStatusEnum};
use blockwright_state::{CanonUpdate, ForkChoice, StateError};
use blockwright_types::{BuildRequest, PayloadId, UnixUs};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::engine::{Inner, blocking, status};
use crate::senders::decode_all;
use crate::{EngineError, ForkchoiceVersion, metrics};

impl Inner {
    pub(crate) async fn fork_choice(
        self: &Arc<Self>,
        version: ForkchoiceVersion,
        state: ForkchoiceState,
        attributes: Option<OpPayloadAttributes>,
    ) -> Result<ForkchoiceUpdated, EngineError> {
        let received_at = self.clock.now();
        let head = state.head_block_hash;
        if let Some(answer) = self.unusable_head(&head) {
            return Ok(answer);
        }
        {
            let _in_order = self.choosing.lock().await;
            let inner = Arc::clone(self);
            blocking(move || inner.apply(&state)).await??;
        }
        let valid = ForkchoiceUpdated::new(status(PayloadStatusEnum::Valid, Some(head)));
        match attributes {
            None => Ok(valid),
            Some(attributes) => {
                let id = self.start(version, head, attributes, received_at).await?;
                Ok(valid.with_payload_id(id))
            }
        }
    }

    /// The answer where `head` cannot become the head.
    fn unusable_head(&self, head: &B256) -> Option<ForkchoiceUpdated> {
        if head.is_zero() {
            let validation_error = "headBlockHash is zero".to_owned();
            let invalid = PayloadStatusEnum::Invalid { validation_error };
            return Some(ForkchoiceUpdated::new(status(invalid, None)));
        }
        if let Some(invalid) = self.invalid(head) {
            return Some(ForkchoiceUpdated::new(invalid));
        }
        let syncing = || ForkchoiceUpdated::new(status(PayloadStatusEnum::Syncing, None));
        (!self.store.contains(*head)).then(syncing)
    }

    /// Makes the fork choice durable, then tells everybody. Blocks on the disk.
    fn apply(&self, state: &ForkchoiceState) -> Result<(), EngineError> {
        for (label, hash) in [
            ("safe", state.safe_block_hash),
            ("finalized", state.finalized_block_hash),
        ] {
            if !hash.is_zero() && !self.store.contains(hash) {
                return Err(EngineError::InvalidForkChoice(format!(
                    "{label} block {hash} is unknown"
                )));
            }
        }
        let choice = ForkChoice {
            head: state.head_block_hash,
            safe: state.safe_block_hash,
            finalized: state.finalized_block_hash,
        };
        let update = self.store.set_fork_choice(choice).inspect_err(|error| {
            if !matches!(error, StateError::NotCanonical { .. }) {
                tracing::error!(%error, "log write failed: the fork choice is not durable");
            }
        })?;
        if !update.new.is_empty() || !update.reverted.is_empty() {
            self.announce(update)?;
        }
        Ok(())
    }

    fn announce(&self, update: CanonUpdate) -> Result<(), EngineError> {
        let head = self.store.head();
        let block = self
            .store
            .block_by_hash(head.hash)
            .ok_or(EngineError::StateUnavailable(head.hash))?;
        metrics::head(head.number, update.reverted.len());
        let view = self.view_of(&block)?;
        // The pool wants both lists oldest first.
        let reverted: Vec<_> = update.reverted.iter().rev().cloned().collect();
        self.pool.on_new_head(view, &reverted, &update.new);
        if !reverted.is_empty() {
            tracing::warn!(
                reverted = reverted.len(),
                head = head.number,
                hash = %head.hash,
                "unsafe chain reorganised"
            );
        }
        tracing::info!(
            number = head.number,
            hash = %head.hash,
            transactions = block.transaction_count(),
            gas_used = block.header.gas_used,
            flashblocks = block.parts.len(),
            "new head block"
        );
        self.heads.publish(block, Arc::new(update));
        Ok(())
    }

    async fn start(
        self: &Arc<Self>,
        version: ForkchoiceVersion,
        parent: B256,
        attributes: OpPayloadAttributes,
        received_at: UnixUs,
    ) -> Result<PayloadId, EngineError> {
        let timestamp = attributes.payload_attributes.timestamp;
        version.check(self.chain.fork_at(timestamp))?;
        let inner = Arc::clone(self);
        let request = blocking(move || inner.request(parent, &attributes, received_at)).await??;
        let id = request.id;
        self.builder.start(request).await?;
        self.payloads.lock().insert(id, timestamp);
        Ok(id)
    }

    /// Checks the attributes and makes the request for the builder.
    fn request(
        &self,
        parent_hash: B256,
        attributes: &OpPayloadAttributes,
        received_at: UnixUs,
    ) -> Result<BuildRequest, EngineError> {
        let parent = self
            .store
            .header(parent_hash)
            .ok_or(EngineError::StateUnavailable(parent_hash))?;
        let context = self
            .chain
            .context_for_attributes(&parent, parent_hash, attributes)?;
        let encoded = attributes.transactions.as_deref().unwrap_or_default();
        let sequencer_transactions =
            decode_all(&self.pool, encoded).map_err(|bad| EngineError::AttributesTransaction {
                index: bad.index,
                reason: bad.error.to_string(),
            })?;
        Ok(BuildRequest {
            id: attributes.payload_id(&parent_hash, self.config.payload_id_version),
            context,
            sequencer_transactions,
            no_tx_pool: attributes.no_tx_pool.unwrap_or_default(),
            received_at,
            parent_timestamp: parent.timestamp,
        })
    }
}
