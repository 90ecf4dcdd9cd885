//! Where transactions go: to the sequencer, the pool, and other nodes.

use alloy_primitives::{B256, Bytes, keccak256};
use blockwright_forward::{Forwarder, Sequencer};
use blockwright_pool::{Pool, PoolError};

use crate::{RpcError, metrics};

/// Who else gets the transactions of users. By default nobody.
#[derive(Clone, Debug, Default)]
pub struct Forwarding {
    /// Asked first, and waited for: what it refuses is not pooled.
    pub sequencer: Option<Sequencer>,
    /// Gets a copy of what was accepted; nobody waits for it.
    pub copies: Option<Forwarder>,
}

/// The way of a transaction from `eth_sendRawTransaction` on.
#[derive(Clone)]
pub(crate) struct Intake {
    pool: Pool,
    forwarding: Forwarding,
}

/// What became of a transaction.
pub(crate) type Outcome = Result<B256, RpcError>;

impl Intake {
    pub(crate) const fn new(pool: Pool, forwarding: Forwarding) -> Self {
        Self { pool, forwarding }
    }

    /// One that takes transactions for the pool alone.
    pub(crate) fn for_pool_alone(&self) -> Self {
        Self::new(self.pool.clone(), Forwarding::default())
    }

    /// One transaction.
    pub(crate) async fn send(&self, encoded: Bytes) -> Outcome {
        if self.is_local() {
            return Ok(self.pool.add_raw(encoded).await?);
        }
        let mut outcomes = self.send_batch(vec![encoded]).await;
        outcomes.pop().unwrap_or(Err(PoolError::Closed.into()))
    }

    /// Several, in this order; as many outcomes.
    pub(crate) async fn send_batch(&self, encoded: Vec<Bytes>) -> Vec<Outcome> {
        let Some(sequencer) = &self.forwarding.sequencer else {
            let kept = self.forwarding.copies.as_ref().map(|_| encoded.clone());
            let outcomes = self.pool.add_batch(encoded).await;
            self.copy(outcomes.iter().zip(kept.into_iter().flatten()).filter_map(
                |(outcome, encoded)| outcome.as_ref().ok().map(|hash| (*hash, encoded)),
            ));
            return outcomes
                .into_iter()
                .map(|outcome| outcome.map_err(RpcError::from))
                .collect();
        };
        let mut outcomes = Vec::with_capacity(encoded.len());
        let mut offered = Vec::with_capacity(encoded.len());
        for tx in encoded {
            let hash = keccak256(&tx);
            let is_known = self.pool.get(&hash).is_some();
            outcomes.push(if is_known {
                Err(PoolError::AlreadyKnown(hash).into())
            } else {
                offered.push((hash, tx));
                Ok(hash)
            });
        }
        let answers = sequencer.submit(&offered).await;
        let mut taken = Vec::with_capacity(offered.len());
        let asked = outcomes.iter_mut().filter(|outcome| outcome.is_ok());
        for ((outcome, answer), tx) in asked.zip(answers).zip(offered) {
            match answer {
                Ok(()) => taken.push(tx),
                Err(refusal) => *outcome = Err(refusal.into()),
            }
        }
        self.pool_taken(&taken).await;
        self.copy(taken);
        outcomes
    }

    /// Whether the sequencer decides what is taken.
    pub(crate) const fn asks_sequencer(&self) -> bool {
        self.forwarding.sequencer.is_some()
    }

    fn is_local(&self) -> bool {
        self.forwarding.sequencer.is_none() && self.forwarding.copies.is_none()
    }

    /// Pools what the sequencer took. That the pool refuses one is no error for its sender: the
    /// sequencer decides what becomes of it.
    async fn pool_taken(&self, taken: &[(B256, Bytes)]) {
        let encoded: Vec<Bytes> = taken.iter().map(|(_, encoded)| encoded.clone()).collect();
        if encoded.is_empty() {
            return;
        }
        for (outcome, (hash, _)) in self.pool.add_batch(encoded).await.iter().zip(taken) {
            match outcome {
                Ok(_) | Err(PoolError::AlreadyKnown(_)) => {}
                Err(error) => {
                    metrics::sequenced_not_pooled();
                    tracing::debug!(%hash, %error, "the sequencer took a transaction that the pool refuses");
                }
            }
        }
    }

    fn copy(&self, accepted: impl IntoIterator<Item = (B256, Bytes)>) {
        if let Some(copies) = &self.forwarding.copies {
            copies.forward(accepted);
        }
    }
}
