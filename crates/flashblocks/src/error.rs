//! What can be wrong with a flashblock or a frame.

use alloy_primitives::FixedBytes;
use blockwright_types::{PayloadId, Severity};

use crate::spec::{ExceedsLimit, SPEC_VERSION};

/// A flashblock that has no correct frame. The encoder's state is as before the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The flashblock does not follow the last one encoded: consumers require contiguous indices
    /// from 0, and the cumulative fields need everything before.
    #[error("flashblock {index} of payload {payload_id} does not follow: {}", continuation(.expected.as_ref()))]
    NotContiguous {
        /// Payload of the refused flashblock.
        payload_id: PayloadId,
        /// Index of the refused flashblock.
        index: u64,
        /// Payload and index that could have continued the sequence; `None` before the first.
        expected: Option<(PayloadId, u64)>,
    },
    /// `base` belongs to index 0 and nowhere else.
    #[error("flashblock {index} of payload {payload_id} has base {}: it belongs to index 0 alone", presence(*.present))]
    Base {
        /// Payload of the refused flashblock.
        payload_id: PayloadId,
        /// Index of the refused flashblock.
        index: u64,
        /// Whether it carried a base.
        present: bool,
    },
    /// Every transaction has exactly one receipt.
    #[error(
        "flashblock {index} of payload {payload_id} has {transactions} transactions and {receipts} receipts"
    )]
    ReceiptCount {
        /// Payload of the refused flashblock.
        payload_id: PayloadId,
        /// Index of the refused flashblock.
        index: u64,
        /// Transactions in it.
        transactions: usize,
        /// Receipts in it.
        receipts: usize,
    },
    /// Dialect `spec` alone: more of something than its container can hold.
    #[error("flashblock {index} of payload {payload_id}: {cause}")]
    Limit {
        /// Payload of the refused flashblock.
        payload_id: PayloadId,
        /// Index of the refused flashblock.
        index: u64,
        /// What there is too much of.
        #[source]
        cause: ExceedsLimit,
    },
    /// Dialect `spec` alone: a receipt's cumulative gas is below that of the one before.
    #[error(
        "flashblock {index} of payload {payload_id}: the cumulative gas of receipt {position} is below the one before"
    )]
    Gas {
        /// Payload of the refused flashblock.
        payload_id: PayloadId,
        /// Index of the refused flashblock.
        index: u64,
        /// Position of the receipt in the flashblock, from 0.
        position: usize,
    },
}

impl EncodeError {
    /// What to do about it: the rest of the payload cannot be streamed.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotContiguous { .. }
            | Self::Base { .. }
            | Self::ReceiptCount { .. }
            | Self::Limit { .. }
            | Self::Gas { .. } => Severity::AbandonJob,
        }
    }
}

/// A frame that is no flashblock of a JSON dialect.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Longer than any frame a block can need.
    #[error("frame of {size_bytes} bytes exceeds the limit of {max_bytes} bytes")]
    TooLarge {
        /// Size of the frame.
        size_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Not the JSON of the dialect.
    #[error("frame is not a JSON flashblock: {0}")]
    Json(#[from] serde_json::Error),
}

/// Bytes that are no flashblock of dialect `spec`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpecDecodeError {
    /// Longer than any frame a block can need.
    #[error("frame of {size_bytes} bytes exceeds the limit of {max_bytes} bytes")]
    TooLarge {
        /// Size of the frame.
        size_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// Too short for a version.
    #[error("frame of {size_bytes} bytes has no `version`")]
    NoVersion {
        /// Size of the frame.
        size_bytes: usize,
    },
    /// A version that is not read here.
    #[error("`version` {version} is unknown: {SPEC_VERSION} is read")]
    UnknownVersion {
        /// The frame's.
        version: FixedBytes<4>,
    },
    /// Not the SSZ encoding of the container.
    #[error("frame is not the SSZ encoding of FlashblocksPayloadV1: {cause:?}")]
    Malformed {
        /// What the SSZ rules say.
        cause: ssz::DecodeError,
    },
    /// `parent_flash_hash` belongs to every index but 0.
    #[error("`parent_flash_hash` is {} at index {index}", presence(*.present))]
    ParentFlashHash {
        /// Index of the flashblock.
        index: u64,
        /// Whether it was there.
        present: bool,
    },
    /// `static` belongs to index 0 and nowhere else.
    #[error("`static` is {} at index {index}", presence(*.present))]
    Static {
        /// Index of the flashblock.
        index: u64,
        /// Whether it was there.
        present: bool,
    },
    /// A transaction's status is neither failure nor success.
    #[error("`status` of metadata transaction {position} is {status}, neither 0 nor 1")]
    Status {
        /// Position in the list, from 0.
        position: usize,
        /// What it says.
        status: u8,
    },
}

fn continuation(next: Option<&(PayloadId, u64)>) -> String {
    match next {
        Some((id, index)) => format!("expected index {index} of {id} or index 0"),
        None => "expected index 0".to_owned(),
    }
}

const fn presence(present: bool) -> &'static str {
    if present { "set" } else { "missing" }
}
