#![doc = include_str!("../README.md")]

mod balances;

mod decode;
pub use decode::{FRAME_BYTES_MAX, decode_v1};

mod error;
pub use error::{DecodeError, EncodeError};

mod json;

mod receipt;

mod v1;
pub use v1::V1Encoder;

pub use op_alloy_rpc_types_engine::{
    OpFlashblockPayload, OpFlashblockPayloadBase, OpFlashblockPayloadDelta,
    OpFlashblockPayloadMetadata,
};
