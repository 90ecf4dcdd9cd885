//! One published flashblock in every form that was asked for.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use blockwright_types::PayloadId;

    use super::*;

    fn entry() -> Arc<Entry> {
        let position = Position {
            payload_id: PayloadId::new([0; 8]),
            block_number: 0,
            index: 0,
        };
        Arc::new(Entry::new(position, [Frame::Text("{}".repeat(500).into())]))
    }

    const fn form(encoding: Encoding) -> Form {
        Form {
            content: Content::V1Full,
            encoding,
        }
    }

    #[tokio::test]
    async fn a_frame_is_compressed_once_and_only_when_somebody_asks() {
        let compressors = Compressors::start(4).unwrap();
        let entry = entry();
        let is_made = |codec: Codec| entry.packed[0][codec.place()].get().is_some();
        let plain = entry.frame(form(Encoding::Plain), &compressors).await;
        assert_eq!(plain.as_ref(), Some(entry.plain(Content::V1Full)));
        assert!(!Codec::ALL.into_iter().any(is_made));

        let brotli = form(Encoding::Packed(Codec::Brotli));
        let (one, two) = tokio::join!(
            entry.frame(brotli, &compressors),
            entry.frame(brotli, &compressors)
        );
        let (Some(Frame::Binary(one)), Some(Frame::Binary(two))) = (one, two) else {
            panic!("compressed frames are binary");
        };
        assert_eq!(one.as_ptr(), two.as_ptr(), "the same bytes");
        assert!(is_made(Codec::Brotli) && !is_made(Codec::Zstd));
    }

    #[tokio::test]
    async fn a_frame_that_found_no_room_can_be_asked_for_again() {
        let (compressors, mut jobs) = Compressors::stalled(1);
        let (first, second) = (entry(), entry());
        let zstd = form(Encoding::Packed(Codec::Zstd));
        let first_frame = first.packed(Content::V1Full, Codec::Zstd, &compressors);
        assert!(first_frame.is_some());
        assert_eq!(second.frame(zstd, &compressors).await, None);
        jobs.take(Codec::Zstd);
        let again = second.packed(Content::V1Full, Codec::Zstd, &compressors);
        assert!(again.is_some());
    }
}
