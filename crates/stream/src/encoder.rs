//! The thread that turns flashblocks into frames.

use std::sync::Arc;
use std::time::Instant;

use blockwright_flashblocks::V1Encoder;
use blockwright_types::Flashblock;
use bytes::Bytes;

use crate::hub::{Frame, Hub};
use crate::metrics;
use crate::publisher::Handover;

/// Encodes until every publisher is gone.
pub(crate) fn run(mut handover: Handover, hub: &Hub) {
    let mut encoder = StreamEncoder::default();
    while let Some((flashblock, lost_before)) = handover.next() {
        encoder.step(&flashblock, lost_before, hub);
    }
}

/// Keeps the stream contiguous: after a loss nothing is sent until the next index 0.
#[derive(Default)]
struct StreamEncoder {
    v1: V1Encoder,
    interrupted: bool,
}

impl StreamEncoder {
    fn step(&mut self, flashblock: &Arc<Flashblock>, lost_before: bool, hub: &Hub) {
        if lost_before {
            self.interrupt(hub);
        }
        if self.interrupted && flashblock.index != 0 {
            return;
        }
        let started = Instant::now();
        let encoded = match self.v1.encode(flashblock) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!(%error, "flashblock cannot be streamed");
                self.interrupt(hub);
                return;
            }
        };
        let size_bytes = encoded.len();
        match Frame::try_from(Bytes::from(encoded)) {
            Ok(frame) => {
                self.interrupted = false;
                hub.publish(flashblock.payload_id, flashblock.index, frame);
                metrics::encoded(size_bytes, started.elapsed());
            }
            Err(error) => {
                tracing::error!(%error, "flashblock frame is not UTF-8");
                self.interrupt(hub);
            }
        }
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
