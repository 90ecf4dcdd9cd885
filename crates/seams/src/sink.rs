//! Where published flashblocks go.

use std::sync::Arc;

use blockwright_types::{Flashblock, PayloadEnd};

/// What the sink did with a flashblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Taken for delivery.
    Accepted,
    /// The sink's queue was full; the sink counts it and its subscribers are told to resume.
    Dropped,
}

/// Takes flashblocks in publishing order. Called under the publish lock: it must return at once.
pub trait FlashblockSink: Send + Sync + 'static {
    /// Hands over one flashblock.
    fn publish(&self, flashblock: Arc<Flashblock>) -> Feedback;

    /// Tells what became of a payload of which something was published: behind the last of its
    /// flashblocks, under the same lock. An abandoned payload that the consensus client fetches
    /// after all is told of again, as sealed. What a sink has no room for it counts itself. Does
    /// nothing unless the sink has somebody to tell.
    fn ended(&self, end: PayloadEnd) {
        let _ = end;
    }
}
