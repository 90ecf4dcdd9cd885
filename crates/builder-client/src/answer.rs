//! A builder's answer, read without trust.

use blockwright_builder_codec::BidTrace;
use blockwright_payload::ExecutionPayload;
use blockwright_signer::Signature;
use serde::Deserialize;

use crate::Lie;

/// The body of status 200. Fields that are not known are passed over.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Name of the payload's version.
    pub version: String,
    /// The bid, which is signed.
    pub message: BidTrace,
    /// The block.
    pub execution_payload: ExecutionPayload,
    /// The builder's signature of the bid.
    pub signature: Signature,
}

impl Answer {
    /// Reads the body of an answer.
    ///
    /// # Errors
    /// [`Lie::Malformed`] with what is missing or wrong, and where.
    pub fn from_json(body: &[u8]) -> Result<Self, Lie> {
        serde_json::from_slice(body).map_err(|error| Lie::Malformed(error.to_string()))
    }
}
