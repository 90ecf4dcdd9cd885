//! What becomes of a payload that a consensus client hands in.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_rpc_types_engine::PayloadStatus;
use blockwright_state::{StateError, TrieDelta};
use blockwright_types::SealedBlock;

use crate::engine::{Inner, invalid, syncing, valid};
use crate::import::{Imported, Importer};
use crate::incoming::Incoming;
use crate::invalid::Invalid;
use crate::{EngineError, metrics};

impl Inner {
    /// Decides about a payload, and about those that waited for it, the latter in the background.
    pub(crate) fn new_payload(
        self: &Arc<Self>,
        incoming: Incoming,
    ) -> Result<PayloadStatus, EngineError> {
        let hash = incoming.payload.block_hash;
        let status = self.decide(incoming)?;
        if status.is_valid() {
            self.node.tell_imported();
        }
        if status.is_valid() && self.orphans.lock().has_children(&hash) {
            let inner = Arc::clone(self);
            tokio::task::spawn_blocking(move || inner.import_descendants(hash));
        }
        Ok(status)
    }

    /// Imports what waited for `ancestor`, generation by generation. Each import takes its turn, so
    /// that others get theirs in between.
    fn import_descendants(self: &Arc<Self>, ancestor: B256) {
        let mut parents = vec![ancestor];
        while let Some(parent) = parents.pop() {
            for child in self.orphans.lock().take_children(&parent) {
                let hash = child.payload.block_hash;
                match self.decide(child) {
                    Ok(status) if status.is_valid() => {
                        self.node.tell_imported();
                        parents.push(hash);
                    }
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%hash, %error, "waiting payload not imported"),
                }
            }
        }
    }

    fn decide(&self, incoming: Incoming) -> Result<PayloadStatus, EngineError> {
        let hash = incoming.payload.block_hash;
        if let Some(known) = self.known_invalid(&hash) {
            return Ok(known);
        }
        let held = self.store.block_by_hash(hash);
        if held.is_some_and(|block| self.is_of(&incoming, &block)) || self.take_over(&incoming)? {
            return Ok(valid(hash));
        }
        let incoming = incoming.in_full();
        let payload = &incoming.payload;
        let header = match self.importer().header(&incoming) {
            Ok(header) => header,
            // The hash names another block: nothing is known about that one.
            Err(reason) => {
                tracing::warn!(number = payload.block_number, %hash, reason, "payload refused");
                return Ok(invalid(reason, None));
            }
        };
        let ancestor = self.invalid.lock().get(&payload.parent_hash).cloned();
        if let Some(ancestor) = ancestor {
            return Ok(self.mark_invalid(hash, ancestor));
        }
        if !self.store.contains(payload.parent_hash) {
            let forgotten = self.orphans.lock().insert(incoming);
            metrics::orphans_forgotten(forgotten);
            return Ok(syncing());
        }
        let _one_at_a_time = self.importing.lock();
        if self.store.contains(hash) {
            return Ok(valid(hash));
        }
        match self.importer().execute(payload, header)? {
            Imported::Valid => {
                metrics::imported("executed");
                tracing::debug!(number = payload.block_number, %hash, "payload imported");
                Ok(valid(hash))
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

    fn importer(&self) -> Importer<'_> {
        Importer {
            chain: &self.chain,
            store: &self.store,
            pool: &self.pool,
        }
    }

    fn is_of(&self, incoming: &Incoming, block: &Arc<SealedBlock>) -> bool {
        incoming.is_of(block, self.chain.fork_at(block.header.timestamp))
    }

    /// Imports a block that was executed before, by our own builder or as flashblocks, without a
    /// second execution. `false` if there is none.
    fn take_over(&self, incoming: &Incoming) -> Result<bool, EngineError> {
        let hash = incoming.payload.block_hash;
        let Some((block, delta, source)) = self.executed_before(hash) else {
            return Ok(false);
        };
        if !self.is_of(incoming, &block) {
            return Ok(false);
        }
        match self.store.insert(block, delta) {
            Ok(()) => {
                metrics::imported(source);
                tracing::debug!(%hash, source, "executed block taken over");
                Ok(true)
            }
            // Its parent was dropped meanwhile: the payload is treated like any other.
            Err(StateError::UnknownBlock(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A block with its state, and who executed it.
    fn executed_before(&self, hash: B256) -> Option<(Arc<SealedBlock>, TrieDelta, &'static str)> {
        if let Some(best) = self.builder.built(hash) {
            return Some((best.block, best.artifact, "built"));
        }
        let (block, delta) = self.preconfirmed.as_ref()?.executed(hash)?;
        Some((block, delta, "preconfirmed"))
    }

    /// The answer for a block that was found invalid before.
    pub(crate) fn known_invalid(&self, hash: &B256) -> Option<PayloadStatus> {
        let blocks = self.invalid.lock();
        let known = blocks.get(hash)?;
        Some(invalid(known.reason.clone(), known.latest_valid))
    }

    fn mark_invalid(&self, hash: B256, found: Invalid) -> PayloadStatus {
        tracing::warn!(%hash, reason = %found.reason, "invalid block");
        let answer = invalid(found.reason.clone(), found.latest_valid);
        self.invalid.lock().insert(hash, found);
        answer
    }
}
