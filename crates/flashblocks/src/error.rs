//! What can be wrong with a flashblock or a frame.

use blockwright_types::{PayloadId, Severity};

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
}

impl EncodeError {
    /// What to do about it: the rest of the payload cannot be streamed.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotContiguous { .. } | Self::Base { .. } | Self::ReceiptCount { .. } => {
                Severity::AbandonJob
            }
        }
    }
}

/// A frame that is no flashblock of dialect `v1`.
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
    #[error("frame is not a v1 flashblock: {0}")]
    Json(#[from] serde_json::Error),
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
