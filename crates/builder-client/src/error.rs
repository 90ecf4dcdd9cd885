//! Why there is no offer, and what is wrong with one.

use std::borrow::Cow;

use alloy_primitives::{Address, B256};
use blockwright_payload::FieldError;
use blockwright_trust::TrustError;
use blockwright_types::OpFork;

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
    #[error(transparent)]
    Certificates(#[from] TrustError),
    /// The request cannot be signed.
    #[error("the request cannot be signed: {0}")]
    Unsigned(#[from] blockwright_signer::SignError),
    /// Whoever asks contradicts itself.
    #[error("a block of {fork} has {has} parentBeaconBlockRoot")]
    BeaconRoot {
        /// The fork that was asked for.
        fork: OpFork,
        /// What blocks of the fork have.
        has: &'static str,
    },
    /// The key's holder panicked.
    #[error("signing the request panicked")]
    Panicked,
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
    /// A field of the payload is not what the attributes or the chain's rules make it.
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

impl ClientError {
    /// A short name that stays the same, for logs, metrics and scripts: that of the lie, if it is one.
    pub fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Url { .. } => "url",
            Self::Certificates(_) => "certificates",
            Self::Unsigned(_) | Self::Panicked => "unsigned",
            Self::BeaconRoot { .. } => "beacon_root",
            Self::Unreachable(_) => "unreachable",
            Self::TooLate(_) => "too_late",
            Self::Refused { .. } => "refused",
            Self::TooLong(_) => "too_long",
            Self::Lie(lie) => return lie.name(),
        })
    }
}

impl Lie {
    /// A short name that stays the same: `bid.` or `payload.` and the field that is wrong, or what else is.
    pub fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Malformed(_) => "malformed",
            Self::Signature => "signature",
            Self::Signer { .. } => "signer",
            Self::Bid { field, .. } => return format!("bid.{field}").into(),
            Self::Payload { field, .. } => return format!("payload.{field}").into(),
            Self::Fields(
                FieldError::Missing { field, .. } | FieldError::NotAllowed { field, .. },
            ) => {
                return format!("payload.{field}").into();
            }
            Self::Hash { .. } => "payload.hash",
            Self::Forced { .. } => "payload.forced",
            Self::Version(_) => "version",
            Self::Value { .. } => "bid.value",
        })
    }
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
