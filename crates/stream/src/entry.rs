//! One published flashblock in every form that was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use blockwright_flashblocks::Form;

use crate::encoding::Encoding;
use crate::frame::Frame;
use crate::makers::Makers;
use crate::payload::{Payload, Published};
use crate::position::Position;
use crate::slot::{Slot, Waiting};

/// What a subscriber reads of each flashblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// What a frame says.
    pub(crate) form: Form,
    /// How it is packed.
    pub(crate) encoding: Encoding,
}

impl Format {
    /// The same frame before it is packed.
    pub(crate) const fn plain(self) -> Self {
        Self {
            form: self.form,
            encoding: Encoding::Plain,
        }
    }
}

/// Why a subscriber cannot have a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotMade {
    /// Too much waits for the thread that would make it.
    Busy(Encoding),
    /// It cannot be made.
    Impossible,
}

/// Where an entry's frames come from.
#[derive(Debug)]
enum Source {
    /// A flashblock of ours, of which any frame can be made.
    Ours(Arc<Payload>),
    /// Somebody else's frame, which was there from the start and is all there is.
    Relayed,
}

/// A flashblock in the ring.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    /// When it was published.
    pub(crate) at: Instant,
    source: Source,
    /// Bytes of the frames that have been made.
    frames_bytes: AtomicUsize,
    slots: [[Slot; Encoding::COUNT]; Form::COUNT],
}

impl Entry {
    /// The last flashblock of `payload`, of which the default form is made already.
    pub(crate) fn ours(payload: Arc<Payload>, published: &Published, default: Frame) -> Self {
        let flashblock = &published.flashblock;
        let position = Position {
            payload_id: flashblock.payload_id,
            block_number: flashblock.block_number,
            index: flashblock.index,
        };
        Self {
            source: Source::Ours(payload),
            ..Self::relayed(position, Form::default(), default)
        }
    }

    /// A flashblock of which there is this one frame.
    pub(crate) fn relayed(position: Position, form: Form, frame: Frame) -> Self {
        let entry = Self {
            position,
            at: Instant::now(),
            source: Source::Relayed,
            frames_bytes: AtomicUsize::new(0),
            slots: Default::default(),
        };
        let encoding = Encoding::Plain;
        entry.put(Format { form, encoding }, frame);
        entry
    }

    /// Puts a frame that was made in its place.
    pub(crate) fn put(&self, format: Format, frame: Frame) {
        let size_bytes = frame.bytes().len();
        if self.slot(format).set(frame) {
            self.frames_bytes.fetch_add(size_bytes, Ordering::Relaxed);
        }
    }

    /// Bytes of the frames that have been made.
    pub(crate) fn frames_bytes(&self) -> usize {
        self.frames_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of what its frames are made of, together with the others of its payload.
    pub(crate) fn payload_bytes(&self) -> usize {
        self.payload().map_or(0, |payload| payload.size_bytes())
    }

    /// Whether `other` keeps the same payload.
    pub(crate) fn shares_payload(&self, other: &Self) -> bool {
        let payloads = self.payload().zip(other.payload());
        payloads.is_some_and(|(one, two)| Arc::ptr_eq(one, two))
    }

    /// Bytes of the uncompressed default form, which is made where the flashblock is ours.
    pub(crate) fn default_frame_bytes(&self) -> usize {
        let (form, encoding) = (Form::default(), Encoding::Plain);
        let frame = self.slot(Format { form, encoding }).get();
        frame.map_or(0, |frame| frame.bytes().len())
    }

    /// What its frames are made of.
    pub(crate) const fn payload(&self) -> Option<&Arc<Payload>> {
        match &self.source {
            Source::Ours(payload) => Some(payload),
            Source::Relayed => None,
        }
    }

    pub(crate) const fn slot(&self, format: Format) -> &Slot {
        &self.slots[format.form.place()][format.encoding.place()]
    }

    /// The frame in `format`. What is not there yet is made at the first call, once for all callers,
    /// on threads of their own.
    pub(crate) async fn frame(
        self: &Arc<Self>,
        format: Format,
        makers: &Makers,
    ) -> Result<Frame, NotMade> {
        if format != format.plain() && self.slot(format).get().is_none() {
            self.made(format.plain(), makers).await?;
        }
        self.made(format, makers).await
    }

    async fn made(self: &Arc<Self>, format: Format, makers: &Makers) -> Result<Frame, NotMade> {
        let slot = self.slot(format);
        if slot.get().is_none() {
            let waiting = self
                .ask(format, makers)
                .ok_or(NotMade::Busy(format.encoding))?;
            // Whether it ended well or not, what counts is whether the frame is there.
            let _ = waiting.await;
        }
        slot.get().cloned().ok_or(NotMade::Impossible)
    }

    fn ask(self: &Arc<Self>, format: Format, makers: &Makers) -> Option<Waiting> {
        let slot = self.slot(format);
        if let Some(waiting) = slot.asked() {
            return Some(waiting);
        }
        // Room in the queue first: a frame that could not be asked for can be asked for again.
        let room = makers.room(format.encoding)?;
        Some(slot.ask(|done| room.send(self, format.form, done)))
    }

    /// The memory of the largest frame, where nobody reads it any more.
    pub(crate) fn into_memory(self) -> Option<Vec<u8>> {
        let frames = self.slots.into_iter().flatten();
        frames
            .filter_map(Slot::into_frame)
            .max_by_key(|frame| frame.bytes().len())?
            .into_memory()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use blockwright_types::PayloadId;

    use super::*;
    use crate::encoding::Codec;

    fn entry() -> Arc<Entry> {
        let position = Position {
            payload_id: PayloadId::new([0; 8]),
            block_number: 0,
            index: 0,
        };
        let frame = Frame::Text("{}".repeat(500).into());
        Arc::new(Entry::relayed(position, Form::default(), frame))
    }

    fn format(encoding: Encoding) -> Format {
        Format {
            form: Form::default(),
            encoding,
        }
    }

    #[tokio::test]
    async fn a_frame_is_compressed_once_and_only_when_somebody_asks() {
        let makers = Makers::start(4, false).unwrap();
        let entry = entry();
        let made = |encoding: Encoding| entry.slot(format(encoding)).get().is_some();
        let packed = Codec::ALL.map(Encoding::Packed);
        let plain = entry.frame(format(Encoding::Plain), &makers).await.unwrap();
        assert_eq!(plain.bytes().len(), 1_000);
        assert!(!packed.into_iter().any(made));
        assert_eq!(entry.frames_bytes(), 1_000);

        let brotli = format(Encoding::Packed(Codec::Brotli));
        let (one, two) = tokio::join!(entry.frame(brotli, &makers), entry.frame(brotli, &makers));
        let (Ok(Frame::Binary(one)), Ok(Frame::Binary(two))) = (one, two) else {
            panic!("compressed frames are binary");
        };
        assert_eq!(one.as_ptr(), two.as_ptr(), "the same bytes");
        assert!(made(Encoding::Packed(Codec::Brotli)) && !made(Encoding::Packed(Codec::Zstd)));
        assert_eq!(entry.frames_bytes(), 1_000 + one.len());
    }

    #[tokio::test]
    async fn a_frame_that_found_no_room_can_be_asked_for_again() {
        let (makers, mut jobs) = Makers::stalled(1);
        let (first, second) = (entry(), entry());
        let encoding = Encoding::Packed(Codec::Zstd);
        let zstd = format(encoding);
        assert!(first.ask(zstd, &makers).is_some());
        let refused = second.frame(zstd, &makers).await;
        assert_eq!(refused, Err(NotMade::Busy(encoding)));
        jobs.take(encoding);
        assert!(second.ask(zstd, &makers).is_some());
    }

    #[tokio::test]
    async fn of_a_relayed_frame_no_other_form_is_made() {
        let makers = Makers::start(4, false).unwrap();
        let spec = Format {
            form: Form::Spec,
            encoding: Encoding::Plain,
        };
        let refused = entry().frame(spec, &makers).await;
        assert_eq!(refused, Err(NotMade::Impossible));
    }
}
