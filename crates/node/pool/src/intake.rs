//! From bytes to places: decoding, checking and recovery on the pool's own threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::map::B256Set;
use alloy_primitives::{B256, Bytes, keccak256};
use blockwright_threads::Priority;
use blockwright_types::{RecoveredTx, SharedTx};
use crossbeam_channel::{Receiver, Sender, bounded};
use op_alloy_consensus::OpTxEnvelope;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracing::{error, trace};

use crate::error::PoolError;
use crate::gate::Gate;
use crate::metrics::PoolMetrics;
use crate::pool::{Head, Shared};
use crate::recovery::recover_sender;
use crate::submission::{Outcome, Piece, Submission};
use crate::validate::{check_bytes, check_tip, check_transaction};

/// Bounded entry to the intake threads. When full it refuses; it never makes a caller wait for
/// room. The threads end when it is dropped.
pub(crate) struct Intake {
    queue: Sender<Arc<Submission>>,
    gate: Arc<Gate>,
    threads: usize,
}

impl Intake {
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let threads = shared.config.intake_threads.max(1);
        // A submission stands in the queue at most once for each of its counted transactions: never
        // full before the gate is.
        let (queue, work) = bounded(shared.config.intake_count_max.max(1));
        let in_progress = Arc::new(Mutex::new(B256Set::default()));
        for index in 0..threads {
            let worker = Worker {
                shared: shared.clone(),
                in_progress: in_progress.clone(),
            };
            let work = work.clone();
            let name = format!("pool-intake-{index}");
            let spawned =
                blockwright_threads::spawn(name, Priority::Intake, move || worker.run(&work));
            if let Err(error) = spawned {
                // With no thread at all, submissions answer `Closed`.
                error!(%error, "transaction intake thread cannot be started");
            }
        }
        Self {
            queue,
            gate: Arc::new(Gate::new(
                &shared.config,
                shared.metrics.intake_count.clone(),
            )),
            threads,
        }
    }

    pub(crate) async fn submit(&self, shared: &Shared, encoded: Vec<Bytes>) -> Vec<Outcome> {
        let count = encoded.len();
        if count == 0 {
            return Vec::new();
        }
        shared.metrics.received.increment(count as u64);
        let error = match self.enqueue(shared, encoded) {
            Ok(answer) => match answer.await {
                Ok(outcomes) => return outcomes,
                Err(_) => PoolError::Closed,
            },
            Err(error) => error,
        };
        PoolMetrics::record_refusals(&error, None, count as u64);
        vec![Err(error); count]
    }

    fn enqueue(
        &self,
        shared: &Shared,
        encoded: Vec<Bytes>,
    ) -> Result<oneshot::Receiver<Vec<Outcome>>, PoolError> {
        let size_bytes = encoded.iter().map(|bytes| bytes.len()).sum();
        let permit = self.gate.enter(encoded.len(), size_bytes)?;
        let first_arrival = shared.next_arrivals(encoded.len() as u64);
        let (submission, answer) = Submission::new(encoded, first_arrival, permit);
        // Every free thread may take a share; who comes too late finds nothing left.
        for _ in 0..self.threads.min(submission.pieces_left()) {
            let sent = self.queue.try_send(submission.clone());
            sent.map_err(|_| PoolError::Closed)?;
        }
        Ok(answer)
    }
}

struct Worker {
    shared: Arc<Shared>,
    /// Hashes that some thread decodes or recovers right now.
    in_progress: Arc<Mutex<B256Set>>,
}

/// Gives claimed hashes back, also when the work panics.
struct Claim<'a> {
    in_progress: &'a Mutex<B256Set>,
    hashes: Vec<B256>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut in_progress = self.in_progress.lock();
        for hash in &self.hashes {
            in_progress.remove(hash);
        }
    }
}

impl Worker {
    fn run(&self, work: &Receiver<Arc<Submission>>) {
        while let Ok(submission) = work.recv() {
            while let Some(piece) = submission.take_piece() {
                let (offset, count) = (piece.offset, piece.encoded.len());
                let outcomes = catch_unwind(AssertUnwindSafe(|| self.process(piece)));
                if outcomes.is_err() {
                    self.shared.metrics.intake_panics.increment(1);
                    error!(count, "transaction intake panicked, transactions lost");
                }
                submission.finish(offset, outcomes.ok());
            }
        }
    }

    fn process(&self, piece: Piece) -> Vec<Outcome> {
        let hashes: Vec<B256> = piece.encoded.iter().map(keccak256).collect();
        let head = match self.shared.head() {
            Ok(head) => head,
            Err(error) => return vec![Err(error); hashes.len()],
        };
        let (claim, fresh) = self.claim(&hashes);
        let mut results: Vec<Outcome> = Vec::with_capacity(hashes.len());
        let mut recovered = Vec::with_capacity(hashes.len());
        let mut positions = Vec::with_capacity(hashes.len());
        let arrivals = piece.first_arrival..;
        for (position, (encoded, arrival)) in piece.encoded.into_iter().zip(arrivals).enumerate() {
            let hash = hashes[position];
            trace!(%hash, size_bytes = encoded.len(), "transaction received");
            let outcome = if fresh[position] {
                self.recover(encoded, hash, &head)
            } else {
                Err(PoolError::AlreadyKnown(hash))
            };
            results.push(outcome.map(|tx| {
                recovered.push((tx, arrival));
                positions.push(position);
                hash
            }));
        }
        let inserted = self.shared.insert(&recovered, Some(&head));
        for (position, result) in positions.into_iter().zip(inserted) {
            results[position] = result;
        }
        drop(claim);
        self.shared
            .record_results(results.iter().zip(hashes.iter().copied()));
        results
    }

    /// Claims the hashes that are neither pooled nor in another thread's hands. The claim comes
    /// before the look into the table: what another thread has just pooled is then seen there.
    fn claim(&self, hashes: &[B256]) -> (Claim<'_>, Vec<bool>) {
        let mut fresh: Vec<bool> = {
            let mut in_progress = self.in_progress.lock();
            hashes
                .iter()
                .map(|hash| in_progress.insert(*hash))
                .collect()
        };
        let claimed = |fresh: &[bool]| -> Vec<B256> {
            let pairs = hashes.iter().zip(fresh);
            pairs
                .filter(|(_, fresh)| **fresh)
                .map(|(hash, _)| *hash)
                .collect()
        };
        let claim = Claim {
            in_progress: &self.in_progress,
            hashes: claimed(&fresh),
        };
        let state = self.shared.state.lock();
        for (fresh, hash) in fresh.iter_mut().zip(hashes) {
            *fresh &= !state.table.contains(hash);
        }
        drop(state);
        (claim, fresh)
    }

    /// Decodes and checks, and only then pays for the recovery.
    fn recover(&self, encoded: Bytes, hash: B256, head: &Head) -> Result<SharedTx, PoolError> {
        let config = &self.shared.config;
        check_bytes(&encoded, config)?;
        let envelope = OpTxEnvelope::decode_2718_exact(encoded.as_ref())
            .map_err(|error| PoolError::Decode(error.to_string()))?;
        check_transaction(&envelope, config, &head.view)?;
        check_tip(&envelope, self.shared.min_tip_wei())?;
        let sender = recover_sender(&envelope)?;
        self.shared.recovered.fetch_add(1, Ordering::Relaxed);
        self.shared.metrics.recovered.increment(1);
        let tx = RecoveredTx::new(envelope, encoded, sender);
        if tx.hash != hash {
            return Err(PoolError::Decode("the encoding is not canonical".into()));
        }
        Ok(Arc::new(tx))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
