//! Several forms of one flashblock.

use alloy_primitives::B256;
use blockwright_types::Flashblock;
use ssz::Encode;

use crate::EncodeError;
use crate::form::Form;
use crate::json_frame::{BuilderSignature, FrameOptions, JsonState};
use crate::sequence::FlashblockId;
use crate::spec::{FlashblocksPayloadV1, SpecEncoder};

/// Encodes the flashblocks of a stream in whatever forms are wanted of each.
///
/// Forms may be asked for or not from one flashblock to the next: balances are kept for all, and
/// the hash chain catches up when a form first needs it. Until then the parts of the running
/// payload are kept for it; they are shared, not copied. To begin a form for someone who joins in
/// the middle of a payload, feed its flashblocks from index 0 to an encoder of its own.
#[derive(Debug, Default)]
pub struct FrameEncoder {
    json: JsonState,
    spec: SpecEncoder,
    /// Flashblocks of the running payload that are not in the hash chain yet.
    unhashed: Vec<Flashblock>,
    /// The container and the hash of the flashblock at hand, once they are made.
    hashed: Option<Result<Hashed, EncodeError>>,
    prev_id: bool,
}

impl FrameEncoder {
    /// An encoder that expects an index 0. With `prev_id` all JSON metadata names the flashblock
    /// before; without, only the minimal one does.
    pub fn new(prev_id: bool) -> Self {
        Self {
            prev_id,
            ..Self::default()
        }
    }

    /// As [`Self::new`], where the first flashblock to come follows `previous` in the stream.
    pub fn following(previous: Option<FlashblockId>, prev_id: bool) -> Self {
        Self {
            json: JsonState::following(previous),
            ..Self::new(prev_id)
        }
    }

    /// The flashblock last taken in.
    pub const fn last(&self) -> Option<FlashblockId> {
        self.json.last()
    }

    /// Takes in the next flashblock, whose frames can then be made.
    ///
    /// # Errors
    /// [`EncodeError`] where the flashblock does not continue the sequence or contradicts itself;
    /// nothing is changed then.
    pub fn advance<'a>(
        &'a mut self,
        flashblock: &'a Flashblock,
    ) -> Result<Frames<'a>, EncodeError> {
        self.json.advance(flashblock)?;
        if flashblock.index == 0 {
            self.unhashed.clear();
        }
        self.unhashed.push(flashblock.clone());
        self.hashed = None;
        Ok(self.frames(flashblock))
    }

    /// More frames of the flashblock last taken in.
    ///
    /// # Errors
    /// [`EncodeError::NotContiguous`] where another one was taken in last.
    pub fn again<'a>(&'a mut self, flashblock: &'a Flashblock) -> Result<Frames<'a>, EncodeError> {
        self.json.check_last(flashblock)?;
        Ok(self.frames(flashblock))
    }

    const fn frames<'a>(&'a mut self, flashblock: &'a Flashblock) -> Frames<'a> {
        Frames {
            encoder: self,
            flashblock,
            signature: None,
        }
    }

    /// Takes into the hash chain what is not in it yet; the last one's container and hash.
    fn chain(&mut self) -> Result<Hashed, EncodeError> {
        let mut last: Option<Result<Hashed, EncodeError>> = None;
        for flashblock in self.unhashed.drain(..) {
            // After a failure the rest is refused for the hole; the first cause is what tells.
            if !matches!(last, Some(Err(_))) {
                last = Some(self.spec.container(&flashblock));
            }
        }
        last.expect("the flashblock at hand is in the list until this is called for it")
    }
}

type Hashed = (FlashblocksPayloadV1, B256);

/// The frames of one flashblock, made as they are asked for.
#[derive(Debug)]
pub struct Frames<'a> {
    encoder: &'a mut FrameEncoder,
    flashblock: &'a Flashblock,
    signature: Option<BuilderSignature>,
}

impl Frames<'_> {
    /// The hash to sign: the hash tree root of the flashblock's `spec` container, which the next
    /// one names as its `parent_flash_hash`.
    ///
    /// # Errors
    /// [`EncodeError`] where this flashblock or an earlier one of its payload has no `spec` form;
    /// JSON frames can be made all the same.
    pub fn flash_hash(&mut self) -> Result<B256, EncodeError> {
        self.hashed().map(|(_, hash)| *hash)
    }

    /// Has the JSON frames made from now on carry `signature` in their metadata.
    pub fn sign(&mut self, signature: BuilderSignature) {
        self.signature = Some(signature);
    }

    /// Makes the frame of one form, in the memory of a frame that is needed no more.
    ///
    /// # Errors
    /// As [`Self::flash_hash`], for [`Form::Spec`] alone.
    pub fn encode(&mut self, form: Form, memory: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
        let (without_roots, metadata) = match form {
            Form::V1(metadata) => (false, metadata),
            Form::Subblocks(metadata) => (true, metadata),
            Form::Spec => return self.encode_spec(memory),
        };
        let options = FrameOptions {
            without_roots,
            metadata,
            prev_id: self.encoder.prev_id,
            signature: self.signature,
        };
        Ok(self.encoder.json.write(self.flashblock, &options, memory))
    }

    fn encode_spec(&mut self, mut memory: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
        let (container, _) = self.hashed()?;
        memory.clear();
        memory.reserve(container.ssz_bytes_len());
        container.ssz_append(&mut memory);
        Ok(memory)
    }

    fn hashed(&mut self) -> Result<&Hashed, EncodeError> {
        let encoder = &mut *self.encoder;
        if encoder.hashed.is_none() {
            encoder.hashed = Some(encoder.chain());
        }
        let hashed = encoder.hashed.as_ref();
        let hashed = hashed.expect("it was made just now where it was missing");
        hashed.as_ref().map_err(Clone::clone)
    }
}
