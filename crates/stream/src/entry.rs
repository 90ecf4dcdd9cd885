//! One published flashblock in every form that was asked for.

use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Bytes;

use crate::compress::Compressors;
use crate::content::{Content, Frame};
use crate::encoding::{Codec, Encoding};
use crate::position::Position;

/// What a subscriber reads of each flashblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) content: Content,
    pub(crate) encoding: Encoding,
}

/// A compression under way or done; all who wait for it share it.
type Packed = Shared<oneshot::Receiver<Bytes>>;

/// A flashblock in the ring.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    /// When it was published.
    pub(crate) at: Instant,
    plain: [Frame; Content::COUNT],
    /// Filled when somebody asks for it first.
    packed: [[OnceLock<Packed>; Codec::ALL.len()]; Content::COUNT],
}

impl Entry {
    pub(crate) fn new(position: Position, plain: [Frame; Content::COUNT]) -> Self {
        Self {
            position,
            at: Instant::now(),
            plain,
            packed: Default::default(),
        }
    }

    /// Bytes of the frames that are always held. What is compressed comes on top.
    pub(crate) fn size_bytes(&self) -> usize {
        self.plain.iter().map(|frame| frame.bytes().len()).sum()
    }

    /// The uncompressed frame.
    pub(crate) const fn plain(&self, content: Content) -> &Frame {
        &self.plain[content.place()]
    }

    /// The frame in `form`. Compressed ones are made at the first call, once for all callers, on a
    /// thread of their own; `None` where that failed or too much waits for it.
    pub(crate) async fn frame(
        self: &Arc<Self>,
        form: Form,
        compressors: &Compressors,
    ) -> Option<Frame> {
        match form.encoding {
            Encoding::Plain => Some(self.plain(form.content).clone()),
            Encoding::Packed(codec) => {
                let packed = self.packed(form.content, codec, compressors)?;
                packed.await.ok().map(Frame::Binary)
            }
        }
    }

    fn packed(
        self: &Arc<Self>,
        content: Content,
        codec: Codec,
        compressors: &Compressors,
    ) -> Option<Packed> {
        let place = &self.packed[content.place()][codec.place()];
        if let Some(packed) = place.get() {
            return Some(packed.clone());
        }
        // Room in the queue first: a form that could not be asked for can be asked for again.
        let room = compressors.room(codec)?;
        let packed = place.get_or_init(|| {
            let (reply, answer) = oneshot::channel();
            room.send(self, content, reply);
            answer.shared()
        });
        Some(packed.clone())
    }

    /// The memory of the first content's frame, where nobody reads it any more.
    pub(crate) fn into_memory(self) -> Option<Vec<u8>> {
        let [first, ..] = self.plain;
        first.into_memory()
    }
}
