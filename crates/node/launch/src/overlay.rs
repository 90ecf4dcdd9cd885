//! Preconfirmed state, wired: the builder's flashblocks in, JSON-RPC's `pending` and `/health` out.

use std::sync::Arc;

use blockwright_chain::ChainSpec;
use blockwright_pending::{Pending, PendingFeed, PendingSink, pending, start_assembler};
use blockwright_rpc::{Overlay, Placeholders};
use blockwright_seams::{Clock, Feedback, FlashblockSink};
use blockwright_service::SystemClock;
use blockwright_state::Store;
use blockwright_stream::Publisher;
use blockwright_types::{Flashblock, PayloadEnd};
use serde_json::json;

use crate::error::failed;
use crate::{LaunchError, NodeConfig};

/// What JSON-RPC answers for `pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingSettings {
    /// Preconfirmed state while flashblocks come; else `pending` is always `latest`.
    pub flashblocks: bool,
    /// What stands for what a block has only once it is sealed.
    pub placeholders: Placeholders,
}

impl Default for PendingSettings {
    fn default() -> Self {
        Self {
            flashblocks: true,
            placeholders: Placeholders::Standard,
        }
    }
}

/// Both ends of preconfirmed state.
pub(crate) struct Preconfirmed {
    feed: PendingFeed,
    /// Makes snapshots of the node's own flashblocks.
    sink: Option<PendingSink>,
    /// `None` where `pending` is always `latest`.
    overlay: Option<Overlay>,
}

impl Preconfirmed {
    /// Snapshots of flashblocks. Those of the node's own `builder`, on the states of the store and by the
    /// rules of the chain, are made from here on; without it somebody else makes them.
    pub(crate) fn start(
        config: &NodeConfig,
        builder: Option<(&Store, &Arc<ChainSpec>)>,
    ) -> Result<Self, LaunchError> {
        let settings = config.pending;
        let interval = config.builder.flashblock_interval;
        let interval_us = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (feed, pending) = pending(interval_us, clock);
        if !settings.flashblocks {
            let (sink, overlay) = (None, None);
            return Ok(Self {
                feed,
                sink,
                overlay,
            });
        }
        blockwright_pending::describe_metrics();
        let sink = builder.map(|(store, chain)| {
            start_assembler(store.clone(), Arc::clone(chain), feed.clone())
                .map_err(|error| failed("preconfirmed state", error))
        });
        let placeholders = settings.placeholders;
        Ok(Self {
            feed,
            sink: sink.transpose()?,
            overlay: Some(Overlay {
                pending,
                placeholders,
            }),
        })
    }

    /// Where snapshots of other flashblocks go.
    pub(crate) fn feed(&self) -> PendingFeed {
        self.feed.clone()
    }

    /// Where the builder's flashblocks go: to subscribers, and into snapshots.
    pub(crate) fn beside(&self, stream: Publisher) -> Arc<dyn FlashblockSink> {
        match &self.sink {
            None => Arc::new(stream),
            Some(pending) => Arc::new(Both {
                stream,
                pending: pending.clone(),
            }),
        }
    }

    pub(crate) fn overlay(&self) -> Option<Overlay> {
        self.overlay.clone()
    }

    fn pending(&self) -> Option<Pending> {
        self.overlay.as_ref().map(|overlay| overlay.pending.clone())
    }

    /// What `/health` says. A node without flashblocks serves all the same, so it is well either way.
    pub(crate) fn health(
        &self,
    ) -> impl Fn() -> Result<String, String> + Clone + Send + Sync + 'static {
        let pending = self.pending();
        move || {
            let fallback = match &pending {
                None => Some("off"),
                Some(pending) => pending.live(pending.now()).err().map(|why| why.label()),
            };
            let body = match fallback {
                None => json!({"status": "ok", "pending": "flashblocks"}),
                Some(reason) => json!({"status": "ok", "pending": "latest", "reason": reason}),
            };
            Ok(format!("{body}\n"))
        }
    }

    /// Tells when flashblocks stop and come back, until `stop` resolves.
    pub(crate) fn watch(
        &self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let pending = self.pending();
        async move {
            match pending {
                None => stop.await,
                Some(pending) => tokio::select! {
                    () = pending.watch() => {}
                    () = stop => {}
                },
            }
        }
    }
}

/// Two takers of the same flashblocks. What the stream does with one is what the builder is told.
struct Both {
    stream: Publisher,
    pending: PendingSink,
}

impl FlashblockSink for Both {
    fn publish(&self, flashblock: Arc<Flashblock>) -> Feedback {
        // Its losses are its own affair: it counts them and withdraws what they leave a hole in.
        let _ = self.pending.publish(Arc::clone(&flashblock));
        self.stream.publish(flashblock)
    }

    fn ended(&self, end: PayloadEnd) {
        self.pending.ended(end);
        self.stream.ended(end);
    }
}
