//! The publishing end of a server that relays somebody else's frames.

use std::sync::Arc;

use blockwright_flashblocks::Form;
use blockwright_types::{PayloadId, Severity};
use bytes::Bytes;

use crate::entry::Entry;
use crate::frame::Frame;
use crate::hub::Hub;
use crate::metrics;
use crate::position::Position;

/// A flashblock as somebody else encoded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayedFrame {
    /// Payload it belongs to.
    pub payload_id: PayloadId,
    /// Number of its block, by which subscribers resume.
    pub block_number: u64,
    /// Position in the payload, contiguous from 0.
    pub index: u64,
    /// The uncompressed bytes, in the form that the server was bound with. They are sent as they
    /// are.
    pub frame: Bytes,
}

/// A frame that is not sent. Subscribers never see a hole: those who are there are told to
/// reconnect, and nothing is sent until the next index 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// It does not follow the one before.
    #[error("flashblock {index} of payload {payload_id} does not follow what was relayed before")]
    NotContiguous {
        /// Its payload.
        payload_id: PayloadId,
        /// Its index.
        index: u64,
    },
    /// The form is JSON, and this is not UTF-8.
    #[error("flashblock {index} of payload {payload_id} is not UTF-8")]
    NotText {
        /// Its payload.
        payload_id: PayloadId,
        /// Its index.
        index: u64,
    },
}

impl RelayError {
    /// What to do about it: the rest of the payload cannot be relayed.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotContiguous { .. } | Self::NotText { .. } => Severity::AbandonJob,
        }
    }
}

/// Sends relayed frames to the subscribers of a server. Nothing waits here: a frame is in the ring
/// when [`publish`](Self::publish) returns.
#[derive(Debug)]
pub struct RelayPublisher {
    hub: Arc<Hub>,
    form: Form,
    /// Payload and index that continue the sequence; `None` before the first and after a loss.
    next: Option<(PayloadId, u64)>,
    /// Whether subscribers were told of a loss, and nothing was sent since.
    interrupted: bool,
}

impl RelayPublisher {
    pub(crate) const fn new(hub: Arc<Hub>, form: Form) -> Self {
        Self {
            hub,
            form,
            next: None,
            interrupted: false,
        }
    }

    /// Sends a frame to all subscribers. Index 0 begins a payload, also in place of another for the
    /// same block; any other index must follow the last one.
    ///
    /// # Errors
    /// [`RelayError`]; what was wrong has then been dealt with as a [`gap`](Self::gap).
    pub fn publish(&mut self, frame: RelayedFrame) -> Result<(), RelayError> {
        let RelayedFrame {
            payload_id,
            block_number,
            index,
            frame,
        } = frame;
        if index != 0 && self.next != Some((payload_id, index)) {
            self.gap();
            return Err(RelayError::NotContiguous { payload_id, index });
        }
        let Ok(frame) = Frame::of(self.form, frame) else {
            self.gap();
            return Err(RelayError::NotText { payload_id, index });
        };
        let position = Position {
            payload_id,
            block_number,
            index,
        };
        metrics::published(frame.bytes().len());
        self.next = Some((payload_id, index.saturating_add(1)));
        self.interrupted = false;
        self.hub
            .publish(Arc::new(Entry::relayed(position, self.form, frame)));
        Ok(())
    }

    /// Says that flashblocks were lost: subscribers are closed with 1013 and reconnect, and nothing is
    /// sent until the next index 0. Saying it again changes nothing.
    pub fn gap(&mut self) {
        self.next = None;
        if !self.interrupted {
            self.interrupted = true;
            metrics::gap();
            self.hub.gap();
        }
    }
}
