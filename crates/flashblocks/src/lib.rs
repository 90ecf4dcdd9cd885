#![doc = include_str!("../README.md")]

mod balances;

mod decode;
pub use decode::{FRAME_BYTES_MAX, JsonFlashblock, decode_json, decode_v1};

mod error;
pub use error::{DecodeError, EncodeError, SpecDecodeError};

mod form;
pub use form::{Dialect, Form, MetadataDetail, UnknownName};

mod frames;
pub use frames::{FrameEncoder, Frames};

mod json;

mod json_frame;
pub use json_frame::BuilderSignature;

mod receipt;

mod sequence;
pub use sequence::{FlashblockId, InvalidFlashblockId};

mod spec;
pub use spec::{
    AccountMetadata, ByteList, ExceedsLimit, ExecutionPayloadFlashblockDeltaV1,
    ExecutionPayloadStaticV1, FlashblocksMetadata, FlashblocksPayloadV1, Optional, SPEC_VERSION,
    SpecEncoder, SpecFrame, StorageSlot, TooLong, TransactionMetadata, Withdrawal, decode_spec,
};

mod v1;
pub use v1::V1Encoder;

pub use op_alloy_rpc_types_engine::{
    OpFlashblockPayload, OpFlashblockPayloadBase, OpFlashblockPayloadDelta,
    OpFlashblockPayloadMetadata,
};
