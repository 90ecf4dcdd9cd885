//! Copies of accepted transactions, to any number of targets.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::lane::{Lane, LaneQueue};
use crate::metrics::{self, TargetMetrics};
use crate::queue::QueueLimits;
use crate::recent::Recent;
use crate::target::labels;
use crate::{ForwardError, TargetUrl};

/// Hashes remembered as forwarded: minutes of a busy chain in about 10 MB.
const RECENT_MAX: usize = 131_072;
/// Bytes of transactions that leave together; twice as many in hex.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Settings of a [`Forwarder`].
#[derive(Clone, Debug)]
pub struct ForwardConfig {
    /// Where transactions go.
    pub targets: Vec<TargetUrl>,
    /// Transactions that may wait for a target; beyond it the oldest are dropped.
    pub queue_count_max: usize,
    /// Bytes of transactions that may wait for a target.
    pub queue_bytes_max: usize,
    /// Transactions sent to a target at once.
    pub batch_max: usize,
    /// How long a target may take to answer; after that the call is repeated.
    pub call_timeout: Duration,
}

impl ForwardConfig {
    /// Defaults for `targets`: 16,384 transactions and 32 MiB for each, batches of 250, 10 s a call.
    pub const fn new(targets: Vec<TargetUrl>) -> Self {
        Self {
            targets,
            queue_count_max: 16_384,
            queue_bytes_max: 32 << 20,
            batch_max: 250,
            call_timeout: Duration::from_secs(10),
        }
    }
}

/// Takes transactions for all targets. Clones share everything.
#[derive(Clone)]
pub struct Forwarder {
    /// Held while transactions are queued, so that all targets get them in one order.
    recent: Arc<Mutex<Recent>>,
    lanes: Arc<[(LaneQueue, Client)]>,
}

/// The tasks that send what a [`Forwarder`] took.
pub struct ForwardService {
    lanes: Arc<[(LaneQueue, Client)]>,
}

impl Forwarder {
    /// A forwarder and the service that has to run for it.
    ///
    /// # Errors
    /// [`ForwardError`] naming what is wrong with a target.
    pub fn new(config: &ForwardConfig) -> Result<(Self, ForwardService), ForwardError> {
        metrics::describe();
        let limits = QueueLimits {
            count_max: config.queue_count_max.max(1),
            size_bytes_max: config.queue_bytes_max,
            batch_count_max: config.batch_max.max(1),
            batch_bytes_max: BATCH_BYTES_MAX,
        };
        let labels = labels(&config.targets)?;
        let lanes = labels.iter().zip(&config.targets).map(|(label, url)| {
            let client = Client::new(url.as_str(), config.call_timeout);
            let client = client.map_err(|cause| ForwardError::Client {
                target: label.clone(),
                cause,
            })?;
            Ok((LaneQueue::new(limits, TargetMetrics::new(label)), client))
        });
        let lanes: Arc<[_]> = lanes.collect::<Result<Vec<_>, ForwardError>>()?.into();
        let forwarder = Self {
            recent: Arc::new(Mutex::new(Recent::new(RECENT_MAX))),
            lanes: Arc::clone(&lanes),
        };
        Ok((forwarder, ForwardService { lanes }))
    }

    /// Queues transactions for every target, in their order; never waits. Those that were forwarded
    /// before are left out.
    pub fn forward(&self, txs: impl IntoIterator<Item = (B256, Bytes)>) {
        let mut recent = self.recent.lock();
        let fresh = txs.into_iter().filter(|(hash, _)| recent.insert(*hash));
        let fresh: Vec<Bytes> = fresh.map(|(_, encoded)| encoded).collect();
        if fresh.is_empty() {
            return;
        }
        for (queue, _) in self.lanes.iter() {
            queue.push(&fresh);
        }
        drop(recent);
    }
}

impl ForwardService {
    /// Sends until `stop`. What waits then is dropped and counted.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send) {
        let mut tasks = JoinSet::new();
        for place in 0..self.lanes.len() {
            let lanes = Arc::clone(&self.lanes);
            tasks.spawn(async move {
                if let Some((queue, client)) = lanes.get(place) {
                    Lane::new(queue, client).run().await;
                }
            });
        }
        stop.await;
        tasks.shutdown().await;
        for (queue, _) in self.lanes.iter() {
            queue.close();
        }
    }
}

impl core::fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Forwarder")
            .field("targets", &self.lanes.len())
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for ForwardService {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ForwardService")
            .field("targets", &self.lanes.len())
            .finish_non_exhaustive()
    }
}
