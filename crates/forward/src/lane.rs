//! One target: its queue and the task that empties it.

use std::time::{Duration, Instant};

use alloy_primitives::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::client::{Answer, CallError, Client, is_known};
use crate::metrics::TargetMetrics;
use crate::queue::{Queue, QueueLimits};
use blockwright_types::Backoff;

/// Longest pause between attempts to reach a target.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The end that takes transactions.
pub(crate) struct LaneQueue {
    queue: Mutex<Queue>,
    arrived: Notify,
    metrics: TargetMetrics,
}

impl LaneQueue {
    pub(crate) fn new(limits: QueueLimits, metrics: TargetMetrics) -> Self {
        Self {
            queue: Mutex::new(Queue::new(limits)),
            arrived: Notify::new(),
            metrics,
        }
    }

    /// Appends transactions in their order; never waits.
    pub(crate) fn push(&self, txs: &[Bytes]) {
        let mut queue = self.queue.lock();
        let gone = txs.iter().map(|tx| queue.push(tx.clone())).sum();
        self.metrics.queue.set(queue.len() as f64);
        drop(queue);
        self.metrics.dropped("queue_full", gone);
        self.arrived.notify_one();
    }

    async fn next(&self) -> Vec<Bytes> {
        loop {
            let batch = {
                let mut queue = self.queue.lock();
                let batch = queue.take();
                self.metrics.queue.set(queue.len() as f64);
                batch
            };
            if !batch.is_empty() {
                return batch;
            }
            self.arrived.notified().await;
        }
    }

    fn put_back(&self, batch: Vec<Bytes>) {
        let mut queue = self.queue.lock();
        let gone = queue.put_back(batch);
        self.metrics.queue.set(queue.len() as f64);
        drop(queue);
        self.metrics.dropped("queue_full", gone);
    }

    /// Counts what will not be sent any more.
    pub(crate) fn close(&self) {
        let left = self.queue.lock().len();
        self.metrics.dropped("shutdown", left);
    }
}

/// The end that sends them.
pub(crate) struct Lane<'a> {
    queue: &'a LaneQueue,
    client: &'a Client,
    backoff: Backoff,
    is_down: bool,
}

impl<'a> Lane<'a> {
    pub(crate) const fn new(queue: &'a LaneQueue, client: &'a Client) -> Self {
        Self {
            queue,
            client,
            backoff: Backoff::new(PAUSE_MAX),
            is_down: false,
        }
    }

    /// Sends what comes, for ever.
    pub(crate) async fn run(mut self) {
        loop {
            self.step().await;
        }
    }

    /// Sends one batch, or puts it back and pauses.
    async fn step(&mut self) {
        let batch = self.queue.next().await;
        let before = Instant::now();
        match self.client.send(&batch).await {
            Ok(answers) => {
                self.queue.metrics.answered(before.elapsed());
                self.record(&answers);
                self.is_reached();
            }
            Err(CallError::Unreachable(cause)) => {
                self.queue.put_back(batch);
                self.queue.metrics.retries.increment(1);
                if !self.is_down {
                    let target = self.queue.metrics.label();
                    tracing::warn!(target_node = target, %cause, "a node to forward to cannot be reached");
                }
                self.is_down = true;
                tokio::time::sleep(self.backoff.delay()).await;
            }
            Err(CallError::Unusable(cause)) => {
                self.is_reached();
                self.unusable(batch, &cause);
            }
        }
    }

    fn is_reached(&mut self) {
        self.backoff.reset();
        if self.is_down {
            self.is_down = false;
            let target = self.queue.metrics.label();
            tracing::info!(target_node = target, "a node to forward to is back");
        }
    }

    /// A server that takes no batches gets one transaction at a time; what it does not understand then
    /// is given up.
    fn unusable(&self, batch: Vec<Bytes>, cause: &str) {
        let metrics = &self.queue.metrics;
        let target = metrics.label();
        if batch.len() > 1 {
            tracing::warn!(
                target_node = target,
                cause,
                "a node to forward to takes no batches: it gets single calls from now on"
            );
            self.queue.queue.lock().take_singly();
            self.queue.put_back(batch);
        } else {
            tracing::debug!(target_node = target, cause, "an answer cannot be used");
            metrics.dropped("unusable_answer", batch.len());
        }
    }

    fn record(&self, answers: &[Answer]) {
        let metrics = &self.queue.metrics;
        for answer in answers {
            match answer {
                Ok(()) => metrics.sent(),
                Err(refusal) if is_known(refusal) => metrics.known(),
                Err(refusal) => {
                    let target = metrics.label();
                    tracing::trace!(target_node = target, %refusal, "a forwarded transaction is refused");
                    metrics.refused(refusal);
                }
            }
        }
    }
}
