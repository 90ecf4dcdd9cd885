//! A sink that remembers.

use std::sync::Arc;

use blockwright_seams::{Feedback, FlashblockSink};
use blockwright_types::{Flashblock, PayloadEnd};
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

/// Flashblocks a test may leave unread.
const UNREAD_MAX: usize = 65_536;

/// A sink that remembers all it was given and lets a test wait for the next one.
pub struct RecordingSink {
    all: Mutex<Vec<Arc<Flashblock>>>,
    ends: Mutex<Vec<(PayloadEnd, usize)>>,
    sender: Sender<Arc<Flashblock>>,
    receiver: Receiver<Arc<Flashblock>>,
}

impl Default for RecordingSink {
    fn default() -> Self {
        let (sender, receiver) = bounded(UNREAD_MAX);
        Self {
            all: Mutex::default(),
            ends: Mutex::default(),
            sender,
            receiver,
        }
    }
}

impl RecordingSink {
    /// All flashblocks so far.
    pub fn all(&self) -> Vec<Arc<Flashblock>> {
        self.all.lock().clone()
    }

    /// How payloads ended, each with the number of flashblocks that had come before.
    pub fn ends(&self) -> Vec<(PayloadEnd, usize)> {
        self.ends.lock().clone()
    }

    /// The next one, waiting up to ten seconds of real time.
    pub fn next(&self) -> Option<Arc<Flashblock>> {
        let patience = std::time::Duration::from_secs(10);
        self.receiver.recv_timeout(patience).ok()
    }
}

impl FlashblockSink for RecordingSink {
    fn publish(&self, flashblock: Arc<Flashblock>) -> Feedback {
        self.all.lock().push(Arc::clone(&flashblock));
        match self.sender.try_send(flashblock) {
            Ok(()) => Feedback::Accepted,
            Err(_) => Feedback::Dropped,
        }
    }

    fn ended(&self, end: PayloadEnd) {
        let published = self.all.lock().len();
        self.ends.lock().push((end, published));
    }
}
