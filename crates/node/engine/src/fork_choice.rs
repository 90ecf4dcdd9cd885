//! Choosing the head: durable first, then told to the pool and everybody else.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_primitives::B256;
use alloy_rpc_types_engine::{ForkchoiceState, PayloadStatus};
use blockwright_pool::HeadView;
use blockwright_state::{BlockRef, CanonUpdate, ForkChoice, StateError};
use blockwright_types::SealedBlock;
use tokio::sync::oneshot;

use crate::engine::{Inner, syncing, valid};
use crate::view::head_view;
use crate::{EngineError, metrics};

impl Inner {
    /// Answers VALID once the choice is durable; what depends on it (the pool, subscribers) follows
    /// without being waited for, in order.
    pub(crate) async fn choose(
        self: &Arc<Self>,
        state: ForkchoiceState,
    ) -> Result<PayloadStatus, EngineError> {
        let head = state.head_block_hash;
        if head.is_zero() {
            let reason = "headBlockHash is zero".to_owned();
            return Err(EngineError::InvalidForkChoice(reason));
        }
        if let Some(known) = self.known_invalid(&head) {
            return Ok(known);
        }
        if !self.store.contains(head) {
            return Ok(syncing());
        }
        if self.is_chosen(&state) {
            return Ok(valid(head));
        }
        let (reply, answer) = oneshot::channel();
        let inner = Arc::clone(self);
        tokio::task::spawn_blocking(move || inner.choose_blocking(state, reply));
        let lost = || EngineError::Internal("the fork choice was not carried out".to_owned());
        match answer.await.map_err(|_| lost())? {
            Ok(()) => Ok(valid(head)),
            // Pruned since it was looked up.
            Err(StateError::UnknownBlock(_)) => Ok(syncing()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the choice stands already. Bursts of the same choice end here, without a lock.
    fn is_chosen(&self, state: &ForkchoiceState) -> bool {
        let same = |asked: B256, now: Option<BlockRef>| {
            asked.is_zero() || now.is_some_and(|now| now.hash == asked)
        };
        self.store.head().hash == state.head_block_hash
            && same(state.safe_block_hash, self.store.safe())
            && same(state.finalized_block_hash, self.store.finalized())
    }

    fn choose_blocking(
        &self,
        state: ForkchoiceState,
        reply: oneshot::Sender<Result<(), StateError>>,
    ) {
        let choice = ForkChoice {
            head: state.head_block_hash,
            safe: state.safe_block_hash,
            finalized: state.finalized_block_hash,
        };
        let in_order = self.choosing.lock();
        match self.store.set_fork_choice(choice) {
            Ok(update) => {
                // Whoever asked may have gone; the choice stands all the same.
                let _ = reply.send(Ok(()));
                if !update.new.is_empty() || !update.reverted.is_empty() {
                    let head = self.store.head();
                    let _still_in_order = self.announcing.lock();
                    drop(in_order);
                    self.announce(head, update);
                }
            }
            Err(error) => {
                tracing::warn!(head = %choice.head, %error, "fork choice refused");
                let _ = reply.send(Err(error));
            }
        }
    }

    fn announce(&self, head: BlockRef, update: CanonUpdate) {
        let Some(block) = self.store.block_by_hash(head.hash) else {
            tracing::error!(hash = %head.hash, "the head cannot be read");
            return;
        };
        metrics::head(head.number);
        if !update.reverted.is_empty() {
            metrics::reorg(update.reverted.len());
            tracing::warn!(
                reverted = update.reverted.len(),
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
            "new head"
        );
        let update = Arc::new(update);
        self.heads.publish(Arc::clone(&block), Arc::clone(&update));
        match self.view_of(&block) {
            // The pool wants both lists oldest first.
            Ok(view) => {
                let reverted: Vec<_> = update.reverted.iter().rev().cloned().collect();
                self.pool.on_new_head(view, &reverted, &update.new);
            }
            Err(error) => tracing::error!(%error, "the pool cannot follow the head"),
        }
        self.store.index_transactions();
        // The consensus client has them now, and asks for no more.
        for part in update.new.iter().flat_map(|block| &block.parts) {
            part.forget_transactions_json();
        }
    }

    /// Begins to write a block that was handed out to the log, so that the fork choice that is to
    /// name it need not wait for that. One at a time: should it not be begun, the fork choice does
    /// it.
    pub(crate) fn write_ahead(self: &Arc<Self>, block: &Arc<SealedBlock>) {
        if self.is_writing_ahead.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = Arc::clone(self);
        let block = Arc::clone(block);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = inner.store.write_ahead(&block) {
                tracing::error!(hash = %block.hash, %error, "a block cannot be written to the log");
            }
            inner.is_writing_ahead.store(false, Ordering::Release);
        });
    }

    /// What the pool needs to know about `block` as the head.
    pub(crate) fn view_of(&self, block: &SealedBlock) -> Result<HeadView, EngineError> {
        let reader = self
            .store
            .reader(block.hash)
            .ok_or(EngineError::StateUnavailable(block.hash))?;
        let parent = self.store.header(block.header.parent_hash);
        let parent_timestamp = parent.map(|header| header.timestamp);
        head_view(&self.chain, block, parent_timestamp, reader)
            .map_err(|error| EngineError::Internal(error.to_string()))
    }
}
