//! How much of a flood may be in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// How long a wait for a block lasts at most: transactions may leave the window otherwise.
const WAIT: Duration = Duration::from_millis(20);

/// Transactions sent and neither sealed nor refused, over all connections: never more than a limit.
#[derive(Clone, Debug)]
pub(super) struct Window {
    limit: u64,
    taken: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    sealed: watch::Receiver<u64>,
}

impl Window {
    pub(super) fn new(limit: u64, sealed: watch::Receiver<u64>) -> Self {
        Self {
            limit,
            taken: Arc::default(),
            refused: Arc::default(),
            sealed,
        }
    }

    /// Takes up to `most` places; 0 if there is none.
    pub(super) fn take(&self, most: u64) -> u64 {
        let gone = *self.sealed.borrow() + self.refused.load(Ordering::Relaxed);
        let mut got = 0;
        let take = |taken: u64| {
            let free = (gone.saturating_add(self.limit)).saturating_sub(taken);
            got = free.min(most);
            Some(taken + got)
        };
        // Its closure always has an answer.
        let _ = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        got
    }

    /// Gives back the places of transactions that were refused for good.
    pub(super) fn give_back(&self, refused: u64) {
        self.refused.fetch_add(refused, Ordering::Relaxed);
    }

    /// Until a block was sealed, or a little while.
    pub(super) async fn changed(&mut self) {
        self.changed_or(WAIT).await;
    }

    /// Until a block was sealed, or `wait` is over.
    pub(super) async fn changed_or(&mut self, wait: Duration) {
        let sealed = async {
            if self.sealed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // Either outcome is what was waited for.
        let _ = tokio::time::timeout(wait, sealed).await;
    }
}
