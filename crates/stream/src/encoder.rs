//! The thread that turns flashblocks into frames.

use std::sync::Arc;
use std::time::Instant;

use blockwright_types::Flashblock;

use crate::content::Contents;
use crate::entry::Entry;
use crate::hub::Hub;
use crate::metrics;
use crate::notices::Notices;
use crate::position::Position;
use crate::publisher::{Handed, Handover};
use crate::recycle::Spent;

/// Where frames go.
#[derive(Debug)]
pub(crate) struct Outlets {
    pub(crate) hub: Arc<Hub>,
    pub(crate) notices: Notices,
}

/// Encodes until every publisher is gone.
pub(crate) fn run(mut handover: Handover, outlets: &Outlets) {
    let mut encoder = StreamEncoder::default();
    while let Some((handed, lost)) = handover.next() {
        if lost.flashblocks {
            encoder.interrupt(&outlets.hub);
        }
        if lost.notices {
            outlets.notices.lost();
        }
        match handed {
            Handed::Flashblock(flashblock) => encoder.step(&flashblock, &outlets.hub),
            Handed::End(end) => outlets.notices.publish(&end),
        }
    }
}

/// Keeps the stream contiguous: after a loss nothing is sent until the next index 0.
#[derive(Default)]
struct StreamEncoder {
    contents: Contents,
    spent: Spent,
    interrupted: bool,
}

impl StreamEncoder {
    fn step(&mut self, flashblock: &Flashblock, hub: &Hub) {
        if self.interrupted && flashblock.index != 0 {
            return;
        }
        let started = Instant::now();
        let frames = match self.contents.encode(flashblock, self.spent.memory()) {
            Ok(frames) => frames,
            Err(error) => {
                tracing::error!(%error, "flashblock cannot be streamed");
                self.interrupt(hub);
                return;
            }
        };
        self.interrupted = false;
        let position = Position {
            payload_id: flashblock.payload_id,
            block_number: flashblock.block_number,
            index: flashblock.index,
        };
        let [v1, ..] = &frames;
        let size_bytes = v1.bytes().len();
        let evicted = hub.publish(Arc::new(Entry::new(position, frames)));
        metrics::encoded(size_bytes, started.elapsed());
        self.spent.add(evicted);
    }

    /// Tells subscribers once a loss.
    fn interrupt(&mut self, hub: &Hub) {
        if !self.interrupted {
            self.interrupted = true;
            metrics::gap();
            hub.gap();
        }
    }
}
