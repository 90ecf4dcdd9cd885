//! Several forms of one flashblock, with what they share made once.

use alloy_primitives::B256;
use blockwright_types::Flashblock;
use ssz::Encode;

use crate::EncodeError;
use crate::form::{Form, MetadataDetail};
use crate::json::JsonWriter;
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
    /// The full metadata of the flashblock at hand, for its memory.
    metadata: JsonWriter,
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
        self.metadata.clear();
        Ok(Frames {
            encoder: self,
            flashblock,
            spec: None,
            signature: None,
        })
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
    spec: Option<Result<Hashed, EncodeError>>,
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
        let is_full = metadata == MetadataDetail::Full;
        if is_full {
            self.render_full_metadata();
        }
        let FrameEncoder {
            json,
            metadata: rendered,
            ..
        } = &*self.encoder;
        let full_metadata = is_full.then(|| rendered.as_bytes());
        Ok(json.write(self.flashblock, &options, full_metadata, memory))
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
        let hashed = self.spec.get_or_insert_with(|| encoder.chain());
        hashed.as_ref().map_err(Clone::clone)
    }

    /// Makes the full metadata's text, unless another form did.
    fn render_full_metadata(&mut self) {
        let FrameEncoder { json, metadata, .. } = &mut *self.encoder;
        if metadata.len() == 0 {
            metadata.reserve(json.full_metadata_bytes(&self.flashblock.part));
            json.write_full_metadata(metadata, self.flashblock);
        }
    }
}
