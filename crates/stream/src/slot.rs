//! The place of a frame that is made when somebody asks for it first.

use std::sync::OnceLock;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;

use crate::frame::Frame;

/// Ready once whoever makes the frame is done with it, with or without success.
pub(crate) type Waiting = Shared<oneshot::Receiver<()>>;

/// A frame that is made at most once.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    frame: OnceLock<Frame>,
    asked: OnceLock<Waiting>,
}

impl Slot {
    /// The frame, once it is made.
    pub(crate) fn get(&self) -> Option<&Frame> {
        self.frame.get()
    }

    /// Puts the frame in place; `false`, and nothing is changed, where there is one.
    pub(crate) fn set(&self, frame: Frame) -> bool {
        self.frame.set(frame).is_ok()
    }

    /// What to wait for, where somebody asked already.
    pub(crate) fn asked(&self) -> Option<Waiting> {
        self.asked.get().cloned()
    }

    /// Asks by `ask` unless somebody did. What it is given is to be dropped when the frame is in
    /// place, or when it is clear that there will be none.
    pub(crate) fn ask(&self, ask: impl FnOnce(oneshot::Sender<()>)) -> Waiting {
        let waiting = self.asked.get_or_init(|| {
            let (done, waiting) = oneshot::channel();
            ask(done);
            waiting.shared()
        });
        waiting.clone()
    }

    pub(crate) fn into_frame(self) -> Option<Frame> {
        self.frame.into_inner()
    }
}
