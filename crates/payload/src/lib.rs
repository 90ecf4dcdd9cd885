#![doc = include_str!("../README.md")]

mod envelope;
pub use envelope::{BlobsBundle, PayloadEnvelope};

mod execution_payload;
pub use execution_payload::{ExecutionPayload, FieldError};

mod text;
pub use text::{TransactionsText, payload_json};

mod version;
pub use version::{ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion, UnsupportedFork};
