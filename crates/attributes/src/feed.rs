//! The publisher's end of a server.

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::{AttributesEvent, metrics, sse_frame};

/// Publishes events to the subscribers of one server. Clones share everything.
#[derive(Clone, Debug)]
pub struct AttributesFeed {
    frames: broadcast::Sender<Bytes>,
}

impl AttributesFeed {
    /// A feed whose subscribers may be `behind_max` frames behind.
    pub(crate) fn new(behind_max: usize) -> Self {
        Self {
            frames: broadcast::Sender::new(behind_max.max(1)),
        }
    }

    /// Tells all subscribers; never waits for any of them. The event is written once, and not at all where
    /// nobody is there.
    pub fn publish(&self, event: &AttributesEvent) {
        metrics::published();
        if self.subscribers() > 0 {
            // The last one may have left meanwhile.
            let _ = self.frames.send(sse_frame(&event.to_json()));
        }
    }

    /// Counts events that cannot be published any more.
    pub fn lost(&self, count: u64) {
        metrics::lost(count);
    }

    /// Subscribers at this moment.
    pub fn subscribers(&self) -> usize {
        self.frames.receiver_count()
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Bytes> {
        self.frames.subscribe()
    }
}
