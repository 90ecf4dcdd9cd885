//! The thread that turns flashblocks into frames.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use blockwright_flashblocks::V1Encoder;
use blockwright_types::Flashblock;
use bytes::Bytes;

use crate::hub::{Frame, Hub};
use crate::metrics;
use crate::publisher::Handover;

/// Frames after which the oldest is taken for sent.
const SPENT_MAX: usize = 6;

/// Encodes until every publisher is gone.
pub(crate) fn run(mut handover: Handover, hub: &Hub) {
    let mut encoder = StreamEncoder::default();
    while let Some((flashblock, lost_before)) = handover.next() {
        encoder.step(&flashblock, lost_before, hub);
    }
}

/// The last frames, whose memory is used again once nobody else has them: to get fresh memory for a
/// frame of megabytes can take longer than to write it.
#[derive(Default)]
struct Spent(VecDeque<Bytes>);

impl Spent {
    /// Memory of the oldest frame, if it is free.
    fn memory(&mut self) -> Vec<u8> {
        if self.0.len() < SPENT_MAX {
            return Vec::new();
        }
        let oldest = self.0.pop_front().map(Bytes::try_into_mut);
        oldest.and_then(Result::ok).map_or_else(Vec::new, Vec::from)
    }

    fn add(&mut self, frame: Bytes) {
        self.0.push_back(frame);
    }
}

/// Keeps the stream contiguous: after a loss nothing is sent until the next index 0.
#[derive(Default)]
struct StreamEncoder {
    v1: V1Encoder,
    spent: Spent,
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
        let encoded = match self.v1.encode_into(flashblock, self.spent.memory()) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!(%error, "flashblock cannot be streamed");
                self.interrupt(hub);
                return;
            }
        };
        let size_bytes = encoded.len();
        let encoded = Bytes::from(encoded);
        match Frame::try_from(encoded.clone()) {
            Ok(frame) => {
                self.interrupted = false;
                self.spent.add(encoded);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_that_nobody_reads_is_used_again() {
        let mut spent = Spent::default();
        let frames: Vec<Bytes> = (0..SPENT_MAX)
            .map(|n| Bytes::from(vec![7; 100 + n]))
            .collect();
        for frame in &frames {
            assert_eq!(spent.memory().capacity(), 0);
            spent.add(frame.clone());
        }
        let mut frames = frames.into_iter();
        let read_by_others = frames.next();
        assert_eq!(spent.memory().capacity(), 0);
        assert_eq!(read_by_others.map(|frame| frame.len()), Some(100));
        spent.add(Bytes::from(vec![8; 50]));
        let at = frames.next().map(|frame| frame.as_ptr());
        assert_eq!(Some(spent.memory().as_ptr()), at);
    }
}
