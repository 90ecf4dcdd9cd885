//! The sequencer, whose answer is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::map::B256Set;
use alloy_primitives::{B256, Bytes};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::client::{Answer, CallError, Client, is_known};
use crate::metrics::{self, TargetMetrics};
use crate::{ForwardError, SequencerError, TargetUrl};
use blockwright_types::Backoff;

/// Longest pause between attempts: a caller waits.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Settings of a [`Sequencer`].
#[derive(Clone, Debug)]
pub struct SequencerConfig {
    /// Its JSON-RPC server.
    pub url: TargetUrl,
    /// How long a submission may take, all attempts and batches included.
    pub timeout: Duration,
    /// Transactions sent at once.
    pub batch_max: usize,
    /// Submissions that may wait for it at once; further ones are refused.
    pub calls_max: usize,
}

impl SequencerConfig {
    /// Defaults for the sequencer at `url`: 5 s, batches of 250, 256 calls.
    pub const fn new(url: TargetUrl) -> Self {
        Self {
            url,
            timeout: Duration::from_secs(5),
            batch_max: 250,
            calls_max: 256,
        }
    }
}

/// The sequencer to which transactions go before they are pooled. Clones share everything.
#[derive(Clone)]
pub struct Sequencer(Arc<Inner>);

struct Inner {
    config: SequencerConfig,
    client: Client,
    calls: Semaphore,
    /// What is on its way: two nodes that take each other for the sequencer would otherwise hand a
    /// transaction to and fro until the deadline.
    under_way: Mutex<B256Set>,
    metrics: TargetMetrics,
}

impl Sequencer {
    /// A sequencer; nothing is sent yet.
    ///
    /// # Errors
    /// [`ForwardError`] naming what is wrong with the URL.
    pub fn new(config: SequencerConfig) -> Result<Self, ForwardError> {
        metrics::describe();
        let label = config.url.label()?;
        // The deadline here comes first, and says more.
        let client = Client::new(config.url.as_str(), config.timeout.saturating_mul(2));
        let client = client.map_err(|cause| ForwardError::Client {
            target: label.clone(),
            cause,
        })?;
        Ok(Self(Arc::new(Inner {
            client,
            calls: Semaphore::new(config.calls_max),
            under_way: Mutex::new(B256Set::default()),
            metrics: TargetMetrics::new(&label),
            config,
        })))
    }

    /// Hands over transactions in this order and waits for what the sequencer says of each.
    pub async fn submit(&self, txs: &[(B256, Bytes)]) -> Vec<Result<(), SequencerError>> {
        let inner = &*self.0;
        let Ok(_permit) = inner.calls.try_acquire() else {
            let calls = inner.config.calls_max;
            return refuse_all(txs.len(), &SequencerError::Busy { calls });
        };
        let claim = Claim::new(&inner.under_way, txs);
        let positions: Vec<usize> = (0..txs.len()).filter(|at| claim.fresh[*at]).collect();
        let mut results = refuse_all(txs.len(), &SequencerError::UnderWay);
        let deadline = Instant::now() + inner.config.timeout;
        for chunk in positions.chunks(inner.config.batch_max.max(1)) {
            let encoded: Vec<Bytes> = chunk.iter().map(|at| txs[*at].1.clone()).collect();
            let answers = inner.exchange(&encoded, deadline).await;
            for (at, answer) in chunk.iter().zip(answers) {
                results[*at] = answer;
            }
        }
        results
    }
}

impl Inner {
    /// One batch, again where it cannot be delivered, and singly where batches are not understood.
    async fn exchange(&self, txs: &[Bytes], deadline: Instant) -> Vec<Result<(), SequencerError>> {
        match self.deliver(txs, deadline).await {
            Err(SequencerError::Answer { .. }) if txs.len() > 1 => {
                let mut results = Vec::with_capacity(txs.len());
                for tx in txs {
                    let single = self.deliver(std::slice::from_ref(tx), deadline).await;
                    results.extend(single.unwrap_or_else(|error| self.given_up(1, &error)));
                }
                results
            }
            Err(error) => self.given_up(txs.len(), &error),
            Ok(results) => results,
        }
    }

    fn given_up(&self, count: usize, error: &SequencerError) -> Vec<Result<(), SequencerError>> {
        self.metrics.dropped(reason(error), count);
        refuse_all(count, error)
    }

    async fn deliver(
        &self,
        txs: &[Bytes],
        deadline: Instant,
    ) -> Result<Vec<Result<(), SequencerError>>, SequencerError> {
        let timeout = SequencerError::Timeout {
            within: self.config.timeout,
        };
        let mut backoff = Backoff::new(PAUSE_MAX);
        let mut repeated = false;
        loop {
            let before = Instant::now();
            let left = deadline.saturating_duration_since(before);
            if left.is_zero() {
                return Err(timeout);
            }
            let sent = tokio::time::timeout(left, self.client.send(txs)).await;
            match sent.map_err(|_| timeout.clone())? {
                Ok(answers) => {
                    self.metrics.answered(before.elapsed());
                    let results = answers.into_iter();
                    return Ok(results
                        .map(|answer| self.result(answer, repeated))
                        .collect());
                }
                Err(CallError::Unusable(cause)) => return Err(SequencerError::Answer { cause }),
                Err(CallError::Unreachable(cause)) => {
                    let pause = backoff.delay();
                    if Instant::now() + pause >= deadline {
                        return Err(SequencerError::Unreachable { cause });
                    }
                    tokio::time::sleep(pause).await;
                    self.metrics.retries.increment(1);
                    repeated = true;
                }
            }
        }
    }

    /// A repeated call may meet the transaction that the first one brought.
    fn result(&self, answer: Answer, repeated: bool) -> Result<(), SequencerError> {
        match answer {
            Ok(()) => self.metrics.sent(),
            Err(refusal) if is_known(&refusal) => {
                self.metrics.known();
                if !repeated {
                    return Err(SequencerError::Refused(refusal));
                }
            }
            Err(refusal) => {
                self.metrics.refused(&refusal);
                return Err(SequencerError::Refused(refusal));
            }
        }
        Ok(())
    }
}

fn refuse_all(count: usize, error: &SequencerError) -> Vec<Result<(), SequencerError>> {
    vec![Err(error.clone()); count]
}

const fn reason(error: &SequencerError) -> &'static str {
    match error {
        SequencerError::Timeout { .. } => "timeout",
        SequencerError::Unreachable { .. } => "unreachable",
        SequencerError::Refused(_)
        | SequencerError::UnderWay
        | SequencerError::Busy { .. }
        | SequencerError::Answer { .. } => "unusable_answer",
    }
}

/// Transactions that are this submission's to deliver, until it is dropped.
struct Claim<'a> {
    under_way: &'a Mutex<B256Set>,
    hashes: Vec<B256>,
    fresh: Vec<bool>,
}

impl<'a> Claim<'a> {
    fn new(under_way: &'a Mutex<B256Set>, txs: &[(B256, Bytes)]) -> Self {
        let mut set = under_way.lock();
        let fresh: Vec<bool> = txs.iter().map(|(hash, _)| set.insert(*hash)).collect();
        drop(set);
        let hashes = txs.iter().zip(&fresh).filter(|(_, fresh)| **fresh);
        let hashes = hashes.map(|((hash, _), _)| *hash).collect();
        Self {
            under_way,
            hashes,
            fresh,
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut set = self.under_way.lock();
        for hash in &self.hashes {
            set.remove(hash);
        }
    }
}

impl core::fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sequencer")
            .field("url", &self.0.config.url)
            .finish_non_exhaustive()
    }
}
