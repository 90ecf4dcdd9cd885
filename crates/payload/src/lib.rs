#![doc = include_str!("../README.md")]

mod envelope;
pub use envelope::{BlobsBundle, PayloadEnvelope};

mod execution_payload;
pub use execution_payload::{ExecutionPayload, FieldError};
