//! What frames say: dialects and extents of metadata. Whatever is added here is resumed, compressed,
//! limited and guarded like the rest.

use blockwright_flashblocks::{EncodeError, V1Encoder};
use blockwright_types::Flashblock;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

/// One dialect with one extent of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Dialect `v1` with full metadata: what a bare connection gets.
    V1Full,
}

/// Values served for the keys of the query string that choose the content.
pub(crate) const DIALECTS: [&str; 1] = ["v1"];
pub(crate) const METADATA: [&str; 1] = ["full"];

impl Content {
    /// Number of contents; each has its place in every entry of the ring.
    pub(crate) const COUNT: usize = 1;

    /// Its place among an entry's contents.
    pub(crate) const fn place(self) -> usize {
        self as usize
    }

    /// The content of a dialect and an extent of metadata, both among those served.
    pub(crate) const fn of(_dialect: &str, _metadata: &str) -> Self {
        Self::V1Full
    }
}

/// The bytes of a WebSocket message. Cloning shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl Frame {
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

/// Why a flashblock cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the frame is not UTF-8")]
    NotText,
}

/// Writes every content of each flashblock, in publishing order.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    v1: V1Encoder,
}

impl Contents {
    /// The frames of `flashblock`, by [`Content::place`]; the first one in `memory`.
    pub(crate) fn encode(
        &mut self,
        flashblock: &Flashblock,
        memory: Vec<u8>,
    ) -> Result<[Frame; Content::COUNT], ContentError> {
        let v1 = self.v1.encode_into(flashblock, memory)?;
        let v1 = Utf8Bytes::try_from(Bytes::from(v1)).map_err(|_| ContentError::NotText)?;
        Ok([Frame::Text(v1)])
    }
}
