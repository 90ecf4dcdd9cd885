//! The bytes of a frame.

use blockwright_flashblocks::Form;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

/// The bytes of a WebSocket message. Cloning shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(Utf8Bytes),
    Binary(Bytes),
}

/// The bytes of a frame of a JSON dialect are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frame is not UTF-8")]
pub(crate) struct NotText;

impl Frame {
    /// The frame with these bytes of `form`.
    pub(crate) fn of(form: Form, bytes: Bytes) -> Result<Self, NotText> {
        if form.is_text() {
            Utf8Bytes::try_from(bytes)
                .map(Self::Text)
                .map_err(|_| NotText)
        } else {
            Ok(Self::Binary(bytes))
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_str().as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Its memory, where nobody else reads it.
    pub(crate) fn into_memory(self) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::Text(text) => Bytes::from(text),
            Self::Binary(bytes) => bytes,
        };
        bytes.try_into_mut().ok().map(Vec::from)
    }
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        match frame {
            Frame::Text(text) => Self::Text(text),
            Frame::Binary(bytes) => Self::Binary(bytes),
        }
    }
}
