//! Forms other than the default one, made when somebody asks for them.

use std::sync::{Arc, Weak};

use blockwright_flashblocks::{EncodeError, Form, FrameEncoder};

use crate::entry::Entry;
use crate::frame::{Frame, NotText};
use crate::payload::Payload;

/// Encoders kept: one for those who follow, others for those who are replayed an earlier payload.
const ENCODERS_MAX: usize = 4;

/// Why a flashblock has no frame of a form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormError {
    #[error("it was relayed, and in another form")]
    Relayed,
    #[error("its payload has no flashblock {0}")]
    Missing(u64),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    NotText(#[from] NotText),
}

/// Encoders of the payloads that were asked for last. Cumulative fields and the hash chain need a
/// payload's flashblocks from index 0 on; an encoder that has taken in some of them goes on from
/// there.
#[derive(Debug)]
pub(crate) struct Forms {
    prev_id: bool,
    /// The last one used stands last.
    encoders: Vec<PayloadEncoder>,
}

#[derive(Debug)]
struct PayloadEncoder {
    /// Weak: what has left the ring is not kept for a form that nobody can ask for.
    payload: Weak<Payload>,
    encoder: FrameEncoder,
    /// The index to be taken in next.
    next: u64,
}

impl Forms {
    pub(crate) const fn new(prev_id: bool) -> Self {
        Self {
            prev_id,
            encoders: Vec::new(),
        }
    }

    /// The frame of `entry` in `form`.
    pub(crate) fn encode(&mut self, entry: &Entry, form: Form) -> Result<Frame, FormError> {
        let payload = entry.payload().ok_or(FormError::Relayed)?;
        let index = entry.position.index;
        let mut encoder = self.take(payload, index);
        let bytes = encoder.encode(payload, index, form)?;
        // One that failed is not used again.
        self.encoders.push(encoder);
        Ok(Frame::of(form, bytes.into())?)
    }

    /// The encoder of `payload` that has come closest to `index`, or a new one.
    fn take(&mut self, payload: &Arc<Payload>, index: u64) -> PayloadEncoder {
        self.encoders.retain(|held| held.payload.strong_count() > 0);
        let fits = |held: &PayloadEncoder| {
            held.next <= index + 1 && Weak::as_ptr(&held.payload) == Arc::as_ptr(payload)
        };
        let places = (0..self.encoders.len()).filter(|place| fits(&self.encoders[*place]));
        if let Some(place) = places.max_by_key(|place| self.encoders[*place].next) {
            return self.encoders.remove(place);
        }
        if self.encoders.len() >= ENCODERS_MAX {
            self.encoders.remove(0);
        }
        PayloadEncoder {
            payload: Arc::downgrade(payload),
            encoder: FrameEncoder::following(payload.previous(), self.prev_id),
            next: 0,
        }
    }
}

impl PayloadEncoder {
    fn encode(&mut self, payload: &Payload, index: u64, form: Form) -> Result<Vec<u8>, FormError> {
        let at = |index| payload.at(index).ok_or(FormError::Missing(index));
        while self.next <= index {
            let published = at(self.next)?;
            self.encoder.advance(&published.flashblock)?;
            self.next += 1;
        }
        let published = at(index)?;
        let mut frames = self.encoder.again(&published.flashblock)?;
        if let Some(signature) = published.signature {
            frames.sign(signature);
        }
        Ok(frames.encode(form, Vec::new())?)
    }
}
