//! What a subscription tells.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::{Disconnect, FrameHeader, Unreadable};

/// One step of a subscription. Everything stands in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection stands.
    Connected {
        /// The URL, without its query string.
        url: String,
        /// The server says that it goes on behind the last frame taken.
        is_resumed: bool,
    },
    /// A flashblock that was not handed out before.
    Frame(Received),
    /// Between the last frame and the next one there may be others that were missed.
    Gap(Gap),
    /// A frame that is dropped.
    Unreadable {
        /// When it came, in microseconds since the epoch.
        received_us: u64,
        /// Its size as it came.
        size_bytes: usize,
        /// What is wrong with it.
        cause: Unreadable,
    },
    /// No frame for two intervals. Said once until the next frame.
    Stalled {
        /// How long nothing has come.
        silent: Duration,
    },
    /// The connection ended, or none came about.
    Disconnected {
        /// Why.
        reason: Disconnect,
        /// Pause before the next attempt.
        retry_in: Duration,
    },
}

/// A flashblock as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When its last byte was there.
    pub at: Instant,
    /// The same, in microseconds since the epoch.
    pub at_us: u64,
    /// Which one it is.
    pub header: FrameHeader,
    /// The frame, unpacked: JSON text or SSZ.
    pub frame: Bytes,
}

/// Why there may be a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The server does not hold the position: it begins with its current block.
    NotHeld,
    /// The frame that comes next is not the one after the last.
    Skipped,
    /// The connection was broken, the server knows nothing of positions, and another payload runs: the
    /// last one may have had more flashblocks.
    Unproven,
}
