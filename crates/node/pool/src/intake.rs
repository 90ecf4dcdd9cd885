//! From bytes to places: decoding, checking and recovery on the pool's own threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::map::B256Set;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use blockwright_types::{RecoveredTx, SharedTx};
use crossbeam_channel::{Receiver, Sender, bounded};
use op_alloy_consensus::OpTxEnvelope;
use parking_lot::Mutex;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
use tokio::sync::oneshot;
use tracing::{error, trace};

use crate::error::PoolError;
use crate::pool::Shared;
use crate::table::known;
use crate::validate::{check_bytes, check_transaction};

/// Transactions that one thread takes at a time: enough to share the locks, few enough that a
/// batch of 100 is spread over the threads.
const CHUNK: usize = 25;

type Outcome = Result<B256, PoolError>;

/// A transaction on its way in.
struct Raw {
    encoded: Bytes,
    arrival: u64,
}

/// What one thread does at a time.
struct Work {
    items: Vec<Raw>,
    reply: oneshot::Sender<Vec<Outcome>>,
    _permit: Permit,
}

/// Bounded entry to the intake threads. When full it refuses; it never makes a caller wait for
/// room. The threads end when it is dropped.
pub(crate) struct Intake {
    queue: Sender<Work>,
    load: Arc<Mutex<Load>>,
}

/// What waits or is being worked on.
#[derive(Default)]
struct Load {
    count: usize,
    size_bytes: usize,
}

/// A share of the intake's capacity, given back when dropped.
struct Permit {
    load: Arc<Mutex<Load>>,
    count: usize,
    size_bytes: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut load = self.load.lock();
        load.count -= self.count;
        load.size_bytes -= self.size_bytes;
    }
}

impl Intake {
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        let threads = shared.config.intake_threads.max(1);
        // Each piece of work holds at least one of the counted transactions: never full before
        // the count is.
        let (queue, work) = bounded::<Work>(shared.config.intake_count_max.max(1));
        let in_progress = Arc::new(Mutex::new(B256Set::default()));
        for index in 0..threads {
            let worker = Worker {
                shared: shared.clone(),
                in_progress: in_progress.clone(),
            };
            let work = work.clone();
            let spawned = std::thread::Builder::new()
                .name(format!("pool-intake-{index}"))
                .spawn(move || worker.run(&work));
            if let Err(error) = spawned {
                // With no thread at all, submissions answer `Closed`.
                error!(%error, "transaction intake thread cannot be started");
            }
        }
        Self {
            queue,
            load: Arc::default(),
        }
    }

    pub(crate) async fn submit(&self, shared: &Shared, encoded: Vec<Bytes>) -> Vec<Outcome> {
        let mut results = Vec::with_capacity(encoded.len());
        let mut replies = Vec::with_capacity(encoded.len().div_ceil(CHUNK));
        for chunk in encoded.chunks(CHUNK) {
            shared.metrics.received.increment(chunk.len() as u64);
            replies.push((chunk.len(), self.enqueue(shared, chunk)));
        }
        for (count, reply) in replies {
            let outcome = match reply {
                Ok(reply) => reply.await.map_err(|_| PoolError::Closed),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(chunk) => results.extend(chunk),
                Err(error) => {
                    for _ in 0..count {
                        let refused = Err(error.clone());
                        shared.record_result(&refused, None);
                        results.push(refused);
                    }
                }
            }
        }
        results
    }

    fn enqueue(
        &self,
        shared: &Shared,
        chunk: &[Bytes],
    ) -> Result<oneshot::Receiver<Vec<Outcome>>, PoolError> {
        let permit = self.admit(shared, chunk)?;
        let items = chunk
            .iter()
            .map(|encoded| Raw {
                encoded: encoded.clone(),
                arrival: shared.next_arrival(),
            })
            .collect();
        let (reply, answer) = oneshot::channel();
        let work = Work {
            items,
            reply,
            _permit: permit,
        };
        self.queue.try_send(work).map_err(|_| PoolError::Closed)?;
        Ok(answer)
    }

    fn admit(&self, shared: &Shared, chunk: &[Bytes]) -> Result<Permit, PoolError> {
        let size_bytes = chunk.iter().map(|bytes| bytes.len()).sum::<usize>();
        let mut load = self.load.lock();
        if load.count + chunk.len() > shared.config.intake_count_max
            || load.size_bytes + size_bytes > shared.config.intake_size_bytes_max
        {
            return Err(PoolError::IntakeFull {
                waiting: load.count,
            });
        }
        load.count += chunk.len();
        load.size_bytes += size_bytes;
        Ok(Permit {
            load: self.load.clone(),
            count: chunk.len(),
            size_bytes,
        })
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
    fn run(&self, work: &Receiver<Work>) {
        while let Ok(Work {
            items,
            reply,
            _permit: permit,
        }) = work.recv()
        {
            match catch_unwind(AssertUnwindSafe(|| self.process(&items))) {
                Ok(results) => {
                    drop(permit);
                    // The caller may have gone; the transactions are pooled all the same.
                    let _ = reply.send(results);
                }
                Err(_) => {
                    self.shared.metrics.intake_panics.increment(1);
                    error!(
                        count = items.len(),
                        "transaction intake panicked, batch lost"
                    );
                }
            }
        }
    }

    fn process(&self, items: &[Raw]) -> Vec<Outcome> {
        let hashes: Vec<B256> = items.iter().map(|raw| keccak256(&raw.encoded)).collect();
        let (claim, fresh) = self.claim(&hashes);
        let mut results: Vec<Outcome> = Vec::with_capacity(items.len());
        let mut recovered = Vec::with_capacity(items.len());
        let mut positions = Vec::with_capacity(items.len());
        for (position, (raw, &hash)) in items.iter().zip(&hashes).enumerate() {
            trace!(%hash, size_bytes = raw.encoded.len(), "transaction received");
            let outcome = if fresh[position] {
                self.recover(raw, hash)
            } else {
                Err(PoolError::AlreadyKnown(hash))
            };
            results.push(outcome.map(|tx| {
                recovered.push((tx, raw.arrival));
                positions.push(position);
                hash
            }));
        }
        for (position, result) in positions.into_iter().zip(self.shared.insert(&recovered)) {
            results[position] = result;
        }
        drop(claim);
        for (result, &hash) in results.iter().zip(&hashes) {
            self.shared.record_result(result, Some(hash));
        }
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
        let pooled = known(
            &self.shared.state.lock().table,
            claim.hashes.iter().copied(),
        );
        for (fresh, hash) in fresh.iter_mut().zip(hashes) {
            *fresh &= !pooled.contains(hash);
        }
        (claim, fresh)
    }

    /// Decodes and checks, and only then pays for the recovery.
    fn recover(&self, raw: &Raw, hash: B256) -> Result<SharedTx, PoolError> {
        let config = &self.shared.config;
        check_bytes(&raw.encoded, config)?;
        let head = self.shared.head()?;
        let envelope = OpTxEnvelope::decode_2718_exact(raw.encoded.as_ref())
            .map_err(|error| PoolError::Decode(error.to_string()))?;
        check_transaction(&envelope, config, &head.view)?;
        let sender = recover_sender(&envelope)?;
        self.shared.recovered.fetch_add(1, Ordering::Relaxed);
        self.shared.metrics.recovered.increment(1);
        let tx = RecoveredTx::new(envelope, raw.encoded.clone(), sender);
        if tx.hash != hash {
            return Err(PoolError::Decode("the encoding is not canonical".into()));
        }
        Ok(Arc::new(tx))
    }
}

/// The address whose key signed `tx`.
fn recover_sender(tx: &OpTxEnvelope) -> Result<Address, PoolError> {
    const INVALID: PoolError = PoolError::InvalidSender("the signature recovers to no address");
    let (signature, digest) = match tx {
        OpTxEnvelope::Legacy(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Eip2930(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Eip1559(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Eip7702(tx) => (tx.signature(), tx.signature_hash()),
        OpTxEnvelope::Deposit(_) | OpTxEnvelope::PostExec(_) => return Err(INVALID),
    };
    let parity = if signature.v() {
        RecoveryId::One
    } else {
        RecoveryId::Zero
    };
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    compact[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let signature = RecoverableSignature::from_compact(&compact, parity).map_err(|_| INVALID)?;
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(digest.0), &signature)
        .map_err(|_| INVALID)?;
    Ok(Address::from_raw_public_key(
        &key.serialize_uncompressed()[1..],
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
