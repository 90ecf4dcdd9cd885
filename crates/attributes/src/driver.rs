//! From events to building.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use blockwright_types::PayloadId;
use tokio::sync::mpsc;

use crate::selection::{Choice, Selection};
use crate::{AttributesEvent, metrics};

/// The way to an outcome.
pub type BuildFuture = Pin<Box<dyn Future<Output = BuildOutcome> + Send>>;

/// Builds what events ask for.
pub trait BuildTarget: Send + Sync + 'static {
    /// Starts to build what `event` asks for; waits briefly for the parent where that is not there yet. The
    /// future is dropped where a newer event comes; what it has begun by then may go on.
    fn build(&self, event: Arc<AttributesEvent>) -> BuildFuture;
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildOutcome {
    /// It is being built, and can be had.
    Started(PayloadId),
    /// The Engine API asked for something else.
    Overruled,
    /// The parent did not come.
    UnknownParent,
    /// It cannot be built, for this reason.
    Refused(String),
}

/// What upstreams tell.
pub(crate) enum Arrival {
    /// An event came.
    Event {
        /// Whose it is.
        index: usize,
        event: Arc<AttributesEvent>,
        at: Instant,
    },
    /// The connection to an upstream ended, or did not come about.
    Left { index: usize },
}

/// An event that is to be built.
struct Chosen {
    event: Arc<AttributesEvent>,
    digest: B256,
    at: Instant,
}

/// Hands events to the target, one at a time and always the newest.
pub(crate) struct Driver {
    pub(crate) arrivals: mpsc::Receiver<Arrival>,
    pub(crate) target: Arc<dyn BuildTarget>,
    /// The upstreams' names.
    pub(crate) labels: Vec<String>,
    pub(crate) selection: Selection,
}

impl Driver {
    /// Runs until there are no upstreams any more.
    pub(crate) async fn run(mut self) {
        let mut next = self.chosen().await;
        while let Some(chosen) = next {
            let building = self.target.build(Arc::clone(&chosen.event));
            next = tokio::select! {
                // A burst is read to its end before anything of it is built.
                biased;
                newer = self.chosen() => {
                    metrics::built("superseded");
                    tracing::debug!(slot = chosen.event.slot, "newer payload attributes came");
                    newer
                }
                outcome = building => {
                    self.conclude(&chosen, outcome);
                    self.chosen().await
                }
            };
        }
    }

    /// The next event that is to be built. Nothing is lost where this is dropped.
    async fn chosen(&mut self) -> Option<Chosen> {
        loop {
            match self.arrivals.recv().await? {
                Arrival::Left { index } => self.selection.left(index),
                Arrival::Event { index, event, at } => {
                    let digest = event.digest();
                    let choice = self.selection.offer(index, event.slot, digest);
                    let label = self.labels.get(index).map_or("", String::as_str);
                    let kind = match choice {
                        Choice::Take => "taken",
                        Choice::Duplicate => "duplicate",
                        Choice::Older => "older",
                    };
                    metrics::event(label, kind);
                    if choice == Choice::Take {
                        return Some(Chosen { event, digest, at });
                    }
                }
            }
        }
    }

    fn conclude(&mut self, chosen: &Chosen, outcome: BuildOutcome) {
        let (slot, parent) = (chosen.event.slot, chosen.event.parent_hash);
        match outcome {
            BuildOutcome::Started(id) => {
                metrics::built("started");
                metrics::started(chosen.at.elapsed());
                tracing::debug!(slot, %parent, %id, "building by payload attributes");
            }
            BuildOutcome::Overruled => {
                metrics::built("overruled");
                tracing::debug!(slot, %parent, "the Engine API asked for something else");
            }
            BuildOutcome::UnknownParent => {
                metrics::built("unknown_parent");
                self.selection.forget(chosen.digest);
                tracing::warn!(
                    slot,
                    %parent,
                    "the parent of payload attributes did not come: is this node given blocks?"
                );
            }
            BuildOutcome::Refused(reason) => {
                metrics::built("refused");
                tracing::warn!(slot, %parent, reason, "payload attributes cannot be built");
            }
        }
    }
}
