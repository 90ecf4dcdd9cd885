//! The current block's frames and the live ones, joined without a seam.

use blockwright_types::PayloadId;
use parking_lot::Mutex;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// An encoded flashblock. Cloning shares the bytes.
pub(crate) type Frame = Utf8Bytes;

/// What subscribers are sent.
#[derive(Clone, Debug)]
pub(crate) enum Live {
    /// The next flashblock.
    Frame(Frame),
    /// Flashblocks were lost: what follows does not continue what came before.
    Gap,
}

/// A subscription: the current block so far, then everything after it.
pub(crate) struct Subscription {
    /// Frames of the current block, from index 0.
    pub(crate) replay: Vec<Frame>,
    /// Everything published after `replay`.
    pub(crate) live: broadcast::Receiver<Live>,
}

/// Fan-out of frames. One ring holds the last frames; each subscriber has its own position in it,
/// so a subscriber's backlog is bounded and costs nothing but the frames that all share.
#[derive(Debug)]
pub(crate) struct Hub {
    current: Mutex<Current>,
    live: broadcast::Sender<Live>,
}

#[derive(Debug, Default)]
struct Current {
    payload_id: Option<PayloadId>,
    frames: Vec<Frame>,
}

impl Hub {
    /// A hub whose subscribers may lag `backlog_frames` behind.
    pub(crate) fn new(backlog_frames: usize) -> Self {
        let (live, _) = broadcast::channel(backlog_frames);
        Self {
            current: Mutex::default(),
            live,
        }
    }

    /// Publishes a frame; index 0 opens a new current block.
    pub(crate) fn publish(&self, payload_id: PayloadId, index: u64, frame: Frame) {
        let mut current = self.current.lock();
        if index == 0 {
            current.payload_id = Some(payload_id);
            current.frames.clear();
        }
        debug_assert_eq!(current.payload_id, Some(payload_id));
        current.frames.push(frame.clone());
        // An error says that nobody listens, which is no fault: newcomers get the replay.
        let _ = self.live.send(Live::Frame(frame));
    }

    /// Tells all subscribers to reconnect. The broken block is not replayed to anyone: newcomers
    /// start with the next block.
    pub(crate) fn gap(&self) {
        let mut current = self.current.lock();
        *current = Current::default();
        let _ = self.live.send(Live::Gap);
    }

    /// Subscribes. The lock makes the seam: no frame is in both parts or in neither.
    pub(crate) fn subscribe(&self) -> Subscription {
        let current = self.current.lock();
        Subscription {
            replay: current.frames.clone(),
            live: self.live.subscribe(),
        }
    }
}
