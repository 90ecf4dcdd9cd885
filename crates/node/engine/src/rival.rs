//! Another builder's block in place of our own: where the consensus client that asks is a proposer's.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{B256, U256};
use blockwright_requests::Asked;
use blockwright_types::{OpFork, PayloadId, SealedBlock};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::{Engine, EngineError, ExecutionPayload, GetPayloadVersion, NewPayloadVersion, metrics};

/// Another builder.
pub trait Rival: Send + Sync + 'static {
    /// How long `engine_getPayload` may take for its sake, all that is done with its answer included.
    fn timeout(&self) -> Duration;

    /// Asks it for a block. Called on blocking threads of a tokio runtime.
    ///
    /// # Errors
    /// [`NotTaken`] where there is no answer, or one that is not to be believed.
    fn ask(&self, wanted: &RivalWanted) -> Result<Box<dyn RivalOffer>, NotTaken>;
}

/// A block that another builder offers.
pub trait RivalOffer: Send + Sync {
    /// The block.
    fn payload(&self) -> &ExecutionPayload;

    /// What it pays in tips by the builder's own word, in wei.
    fn value(&self) -> U256;

    /// Compares it with our own block: what the attributes settle must be equal in both.
    ///
    /// # Errors
    /// [`NotTaken`] naming the first difference.
    fn check_against(&self, local: &ExecutionPayload) -> Result<(), NotTaken>;
}

/// The block that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RivalWanted {
    /// Number.
    pub number: u64,
    /// Parent.
    pub parent_hash: B256,
    /// Fork.
    pub fork: OpFork,
    /// Of the attributes; `None` before Ecotone.
    pub parent_beacon_block_root: Option<B256>,
}

/// Why our own block is answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct NotTaken {
    /// A word for the metric.
    pub reason: &'static str,
    /// The whole of it.
    pub cause: String,
}

impl NotTaken {
    /// Because of `cause`, counted as `reason`.
    pub fn new(reason: &'static str, cause: &impl core::fmt::Display) -> Self {
        Self {
            reason,
            cause: cause.to_string(),
        }
    }
}

/// The answer that was given last: whoever asks again gets it again.
pub(crate) type LastAnswer = tokio::sync::Mutex<Option<(PayloadId, Arc<SealedBlock>)>>;

impl Engine {
    /// Ends the building of `id` and gives the block to propose, and the fork it is of: another builder's where
    /// there is one to ask and its block is valid and no emptier than ours, else ours.
    pub(crate) async fn proposal(
        &self,
        version: GetPayloadVersion,
        id: PayloadId,
    ) -> Result<(Arc<SealedBlock>, OpFork), EngineError> {
        let asked = self.requests().asked_for(id);
        let (Some(rival), Some(asked)) = (&self.inner.rival, asked) else {
            return self.resolve(version, id).await;
        };
        // Without the pool the block is settled: another one would not be that of the chain.
        if !asked.takes_pool {
            return self.resolve(version, id).await;
        }
        let fork = self.chain().fork_at(asked.timestamp);
        version.check(fork)?;
        let started = Instant::now();
        // Calls at the same time get the same answer.
        let mut last = self.inner.last_answer.lock().await;
        if let Some((answered, block)) = &*last
            && *answered == id
        {
            return Ok((Arc::clone(block), fork));
        }
        let wanted = RivalWanted {
            number: asked.number,
            parent_hash: asked.parent_hash,
            fork,
            parent_beacon_block_root: asked.parent_beacon_block_root,
        };
        let deadline = started + rival.timeout();
        let asking = {
            let rival = Arc::clone(rival);
            tokio::task::spawn_blocking(move || rival.ask(&wanted))
        };
        let (local, fork) = self.resolve(version, id).await?;
        let judged = timeout_at(deadline, self.judged(asking, &local, &asked));
        let outcome = judged
            .await
            .unwrap_or_else(|_| Err(NotTaken::new("too_late", &"there is no time left")));
        let block = told(outcome, local);
        metrics::rival_asked(started.elapsed());
        *last = Some((id, Arc::clone(&block)));
        Ok((block, fork))
    }

    /// The offered block, once everything is known to be right about it.
    async fn judged(
        &self,
        asking: JoinHandle<Result<Box<dyn RivalOffer>, NotTaken>>,
        local: &Arc<SealedBlock>,
        asked: &Asked,
    ) -> Result<Arc<SealedBlock>, NotTaken> {
        let fault = |error: &dyn core::fmt::Display| NotTaken::new("fault", &error);
        let offer = asking.await.map_err(|error| fault(&error))??;
        let fork = self.chain().fork_at(local.header.timestamp);
        let ours = ExecutionPayload::of_block(local, fork);
        let theirs = offer.payload();
        if theirs.block_hash == ours.block_hash {
            return Err(NotTaken::new("same", &"it is the very block"));
        }
        offer.check_against(&ours)?;
        if theirs.transactions.get(..asked.forced) != ours.transactions.get(..asked.forced) {
            let cause = "it does not begin with the transactions of the attributes";
            return Err(NotTaken::new("lie", &cause));
        }
        if theirs.gas_used < ours.gas_used {
            let cause = format!("it uses {} gas, ours {}", theirs.gas_used, ours.gas_used);
            return Err(NotTaken::new("less_gas", &cause));
        }
        let version = NewPayloadVersion::of(fork);
        let status = self
            .new_payload(version, theirs.clone(), asked.parent_beacon_block_root)
            .await
            .map_err(|error| fault(&error))?;
        if !status.is_valid() {
            return Err(NotTaken::new("invalid", &format!("{:?}", status.status)));
        }
        let block = self.store().block_by_hash(theirs.block_hash);
        let block = block.ok_or_else(|| fault(&"it was imported and is not held"))?;
        if block.value != offer.value() {
            let cause = format!(
                "it pays {} wei, the bid says {}",
                block.value,
                offer.value()
            );
            return Err(NotTaken::new("value", &cause));
        }
        Ok(block)
    }
}

/// The block of the outcome, told to the operator.
fn told(outcome: Result<Arc<SealedBlock>, NotTaken>, local: Arc<SealedBlock>) -> Arc<SealedBlock> {
    let number = local.header.number;
    match outcome {
        Ok(block) => {
            metrics::rival("taken");
            tracing::info!(number, hash = %block.hash, gas = block.header.gas_used, value = %block.value,
                "the builder's block is proposed");
            block
        }
        Err(not_taken) => {
            metrics::rival(not_taken.reason);
            let (reason, cause) = (not_taken.reason, not_taken.cause);
            if ["same", "less_gas"].contains(&reason) {
                tracing::debug!(number, reason, %cause, "our own block is proposed");
            } else {
                tracing::warn!(number, reason, %cause, "our own block is proposed, the builder's is not to be had");
            }
            local
        }
    }
}
