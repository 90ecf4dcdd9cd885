//! Choosing the head: durable first, then told to the pool and everybody else.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_rpc_types_engine::{ForkchoiceState, PayloadStatus};
use blockwright_state::{BlockRef, ForkChoice, StateError};
use tokio::sync::oneshot;

use crate::EngineError;
use crate::engine::{Inner, syncing, valid};
use crate::follower::News;

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
            self.arriving.wait(&head).await;
            if let Some(known) = self.known_invalid(&head) {
                return Ok(known);
            }
            if !self.store.contains(head) {
                return Ok(syncing());
            }
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
        let _in_order = self.choosing.lock();
        match self.store.set_fork_choice(choice) {
            Ok(update) => {
                // Whoever asked may have gone; the choice stands all the same.
                let _ = reply.send(Ok(()));
                if !update.new.is_empty() || !update.reverted.is_empty() {
                    let head = self.store.head();
                    self.follower.tell(News { head, update });
                }
            }
            Err(error) => {
                tracing::warn!(head = %choice.head, %error, "fork choice refused");
                let _ = reply.send(Err(error));
            }
        }
    }
}
