//! Frees dropped states beside everything else.

use blockwright_threads::Priority;
use crossbeam_channel::{Sender, bounded};

use super::chain::Released;

/// Batches that wait; above it the caller frees them itself.
const BATCHES_MAX: usize = 16;

/// A thread that drops layers and blocks: to free a version touches every node it did not share,
/// and a block each of its transactions, which is nothing a fork choice should wait for. Ends with
/// the store.
#[derive(Debug)]
pub(super) struct Janitor {
    /// `None` where the thread could not be started.
    batches: Option<Sender<Released>>,
}

impl Janitor {
    pub(super) fn start() -> Self {
        let (batches, incoming) = bounded::<Released>(BATCHES_MAX);
        let work = move || incoming.into_iter().for_each(drop);
        let started = blockwright_threads::spawn("state-janitor", Priority::Upkeep, work);
        Self {
            batches: started.is_ok().then_some(batches),
        }
    }

    pub(super) fn drop_later(&self, released: Released) {
        if released.layers.is_empty() && released.blocks.is_empty() {
            return;
        }
        if let Some(batches) = &self.batches {
            // Refused when full: then the batch is dropped right here.
            batches.try_send(released).ok();
        }
    }
}
