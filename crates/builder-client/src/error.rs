//! Why there is no offer, and what is wrong with one.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use blockwright_payload::FieldError;

/// No offer came of a request.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The builder's URL cannot be used.
    #[error("builder URL {url:?}: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate authorities cannot be read.
    #[error("certificate authorities in {path}: {reason}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The request cannot be signed.
    #[error("the request cannot be signed: {0}")]
    Unsigned(#[from] blockwright_signer::SignError),
    /// There was no answer, or not all of it.
    #[error("the builder cannot be reached: {0}")]
    Unreachable(String),
    /// There was no answer in time.
    #[error("the builder did not answer within {0} ms")]
    TooLate(u128),
    /// The builder has nothing to offer, or not to this proposer.
    #[error("the builder refused with status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the builder said, at most 200 characters of it.
        message: String,
    },
    /// The answer is longer than any block.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
    /// The answer is no answer to this request.
    #[error("the builder's answer is not to be believed: {0}")]
    Lie(#[from] Lie),
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// The signature is none.
    #[error("the bid's signature is invalid")]
    Signature,
    /// Somebody else signed.
    #[error("the bid is signed by {signer}, not by {builder}")]
    Signer {
        /// Who signed.
        signer: Address,
        /// Who should have.
        builder: Address,
    },
    /// The bid and what was asked for, or the bid and its payload, disagree.
    #[error("{field}: the bid says {bid}, {against} {other}")]
    Bid {
        /// The bid's field, by its name on the wire.
        field: &'static str,
        /// Its value.
        bid: String,
        /// What disagrees.
        against: Against,
        /// The other value.
        other: String,
    },
    /// The payload's own number or parent is not what was asked for.
    #[error("executionPayload.{field} is {found}, wanted {wanted}")]
    Payload {
        /// The payload's field, by its name on the wire.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// The payload has not the fields of its fork.
    #[error("executionPayload: {0}")]
    Fields(#[from] FieldError),
    /// The payload's fields hash to another block.
    #[error("executionPayload.blockHash is {found}, its fields hash to {computed}")]
    Hash {
        /// As the payload says.
        found: B256,
        /// As computed.
        computed: B256,
    },
    /// The transactions that the attributes force are not where they belong.
    #[error(
        "executionPayload.transactions: number {index} is not the one that the attributes force"
    )]
    Forced {
        /// Position of the first one that differs or is missing.
        index: usize,
    },
    /// The version names no fork.
    #[error("version {0:?} is not known")]
    Version(String),
    /// The block was executed, and pays something else than the bid says.
    #[error("value: the bid says {bid} wei, the transactions pay {paid}")]
    Value {
        /// As the bid says.
        bid: String,
        /// What the transactions pay.
        paid: String,
    },
}

/// With what a bid disagrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The request.
    Request,
    /// The payload.
    Payload,
}

impl core::fmt::Display for Against {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Request => "the request asks for",
            Self::Payload => "the payload has",
        })
    }
}
