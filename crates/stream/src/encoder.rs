//! The thread that turns flashblocks into frames.

use std::sync::Arc;
use std::time::Instant;

use blockwright_flashblocks::{BuilderSignature, EncodeError, Form, FrameEncoder, Frames};
use blockwright_signer::{SignError, Signer};
use blockwright_types::Flashblock;

use crate::entry::Entry;
use crate::frame::{Frame, NotText};
use crate::hub::Hub;
use crate::metrics;
use crate::notices::Notices;
use crate::payload::{Payload, Published};
use crate::publisher::{Handed, Handover};
use crate::recycle::Spent;

/// Where the encoder's frames and notices go.
#[derive(Debug)]
pub(crate) struct Outlets {
    pub(crate) hub: Arc<Hub>,
    pub(crate) notices: Arc<Notices>,
}

/// Encodes until every publisher is gone.
pub(crate) fn run(mut handover: Handover, mut encoder: StreamEncoder, outlets: &Outlets) {
    while let Some((handed, lost)) = handover.next() {
        if lost.flashblocks {
            encoder.interrupt(&outlets.hub);
        }
        if lost.notices {
            outlets.notices.lost();
        }
        match handed {
            Handed::Flashblock(flashblock) => encoder.step(flashblock, &outlets.hub),
            Handed::End(end) => outlets.notices.publish(&end),
            // Whoever waits may have given up.
            Handed::Flush(done) => drop(done.send(())),
        }
    }
}

/// Why a flashblock cannot be sent.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    NotText(#[from] NotText),
    #[error("its payload's earlier flashblocks were not sent")]
    NoPayload,
}

/// Makes the default form of each flashblock, and keeps the stream contiguous: after a loss nothing
/// is sent until the next index 0. Other forms are made elsewhere, from what is kept here.
pub(crate) struct StreamEncoder {
    encoder: FrameEncoder,
    signer: Option<Arc<dyn Signer>>,
    /// The running payload.
    payload: Option<Arc<Payload>>,
    spent: Spent,
    interrupted: bool,
}

impl StreamEncoder {
    /// With `prev_id` all JSON metadata names the flashblock before; with a signer it carries its
    /// signature.
    pub(crate) fn new(prev_id: bool, signer: Option<Arc<dyn Signer>>) -> Self {
        Self {
            encoder: FrameEncoder::new(prev_id),
            signer,
            payload: None,
            spent: Spent::default(),
            interrupted: false,
        }
    }

    fn step(&mut self, flashblock: Arc<Flashblock>, hub: &Hub) {
        if self.interrupted && flashblock.index != 0 {
            return;
        }
        let started = Instant::now();
        let entry = match self.entry(flashblock) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::error!(%error, "flashblock cannot be streamed");
                self.interrupt(hub);
                return;
            }
        };
        self.interrupted = false;
        let size_bytes = entry.default_frame_bytes();
        let evicted = hub.publish(Arc::new(entry));
        metrics::encoded(size_bytes, started.elapsed());
        self.spent.add(evicted);
    }

    fn entry(&mut self, flashblock: Arc<Flashblock>) -> Result<Entry, StepError> {
        let previous = self.encoder.last();
        let mut frames = self.encoder.advance(&flashblock)?;
        let signer = self.signer.as_deref();
        let signature = signer.and_then(|signer| sign(&mut frames, signer));
        if let Some(signature) = signature {
            frames.sign(signature);
        }
        let frame = frames.encode(Form::default(), self.spent.memory())?;
        let frame = Frame::of(Form::default(), frame.into())?;
        if flashblock.index == 0 {
            self.payload = Some(Arc::new(Payload::behind(previous)));
        }
        let payload = self.payload.clone().ok_or(StepError::NoPayload)?;
        let published = Published {
            flashblock,
            signature,
        };
        payload.push(published.clone());
        Ok(Entry::ours(payload, &published, frame))
    }

    /// Tells subscribers once a loss.
    fn interrupt(&mut self, hub: &Hub) {
        if !self.interrupted {
            self.interrupted = true;
            metrics::gap();
            hub.gap();
        }
    }
}

/// Why a flashblock is sent without a signature.
#[derive(Debug, thiserror::Error)]
enum Unsigned {
    #[error("it has no hash: {0}")]
    Hash(#[from] EncodeError),
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The signature of the flashblock at hand. Its consumers would lose more by a stream that stops
/// than by one that is not signed, so a failure is counted and told, and the frame goes out.
fn sign(frames: &mut Frames<'_>, signer: &dyn Signer) -> Option<BuilderSignature> {
    let started = Instant::now();
    let hash = frames.flash_hash().map_err(Unsigned::from);
    let signed = hash.and_then(|hash| Ok(signer.sign(hash)?));
    match signed {
        Ok(signature) => {
            metrics::signed(started.elapsed());
            Some(signature)
        }
        Err(error) => {
            metrics::unsigned();
            tracing::error!(%error, "flashblock is sent without a signature");
            None
        }
    }
}
