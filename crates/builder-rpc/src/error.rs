//! Why a call is not answered, with the protocol's codes, and why the kept files cannot be used.

use std::path::PathBuf;

use blockwright_builder_api::Refusal;
use blockwright_types::Severity;

/// A code of the protocol, with its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// Something else about the request.
    Server,
    /// No such parent.
    UnknownHash,
    /// The proposer has registered no fee recipient.
    UnknownValidator,
    /// No beacon block.
    Ssz,
    /// A beacon block around another payload.
    UnknownBlock,
    /// A signature of nobody who may ask, or of nobody at all.
    Signature,
    /// Malformed parameters.
    InvalidParams,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Server,
        Self::UnknownHash,
        Self::UnknownValidator,
        Self::Ssz,
        Self::UnknownBlock,
        Self::Signature,
        Self::InvalidParams,
        Self::Internal,
    ];

    /// The number.
    pub const fn code(self) -> i32 {
        match self {
            Self::Server => -32_000,
            Self::UnknownHash => -32_001,
            Self::UnknownValidator => -32_002,
            Self::Ssz => -32_003,
            Self::UnknownBlock => -32_004,
            Self::Signature => -32_005,
            Self::InvalidParams => -32_602,
            Self::Internal => -32_603,
        }
    }

    /// The text that goes with it.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Server => "Server error",
            Self::UnknownHash => "Unknown hash",
            Self::UnknownValidator => "Unknown validator",
            Self::Ssz => "SSZ error",
            Self::UnknownBlock => "Unknown block",
            Self::Signature => "Signature invalid",
            Self::InvalidParams => "Invalid params",
            Self::Internal => "Internal error",
        }
    }

    /// Stable name, for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Server => "server_error",
            Self::UnknownHash => "unknown_hash",
            Self::UnknownValidator => "unknown_validator",
            Self::Ssz => "ssz_error",
            Self::UnknownBlock => "unknown_block",
            Self::Signature => "signature_invalid",
            Self::InvalidParams => "invalid_params",
            Self::Internal => "internal_error",
        }
    }
}

/// Why a call is not answered. The text goes into the error's `data`.
#[derive(Debug, thiserror::Error)]
pub enum BlindError {
    /// A parameter is missing, malformed or too many.
    #[error("{field}: {problem}")]
    Param {
        /// The parameter.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The parent is not known.
    #[error("no block with this hash is known")]
    UnknownParent,
    /// Nothing is built on the parent.
    #[error("nothing is built on this block")]
    NothingBuilt,
    /// There is no block yet.
    #[error("the block is not ready")]
    NotReady,
    /// Nobody registered.
    #[error("no proposer has registered a fee recipient")]
    NoRegistration,
    /// No room for another proposer.
    #[error("{count_max} proposers are registered already")]
    RegistrationsFull {
        /// Most registrations.
        count_max: usize,
    },
    /// Not SSZ.
    #[error("the bytes are no beacon block, neither blinded nor full")]
    NotABlock,
    /// No header of this payload was handed out, or the block differs from it.
    #[error("no header was handed out for the payload of this block as it is")]
    NotOffered,
    /// The signature is nobody's who may ask.
    #[error("the signature is not one of a proposer that this builder answers to")]
    Stranger,
    /// No proposer is listed, so that the signature's key cannot be known.
    #[error(
        "no proposer is listed here, so the key must be named: publicKey, which `blockwright builder register` \
         gives with --name-key"
    )]
    KeyNotNamed,
    /// Proposers are listed, and none of them has a BLS key.
    #[error(
        "this builder answers listed proposers alone, and no BLS key is among them: \
         --builder-api.proposer-bls lists one"
    )]
    NobodyListed,
    /// Another block of this slot was given to this proposer.
    #[error("another block of slot {slot} was revealed to this proposer, or the slot is too old")]
    OtherRevealed {
        /// The slot.
        slot: u64,
    },
    /// A key of ours is not there.
    #[error("this builder has no key for that: {0} gives it")]
    NoKey(&'static str),
    /// As a request over HTTP would be refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A file could not be written.
    #[error("the answer could not be recorded")]
    NotRecorded(#[from] StoreError),
    /// Whatever should not be.
    #[error("{0}")]
    Fault(&'static str),
}

impl BlindError {
    /// A malformed parameter.
    pub(crate) fn param(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Param {
            field,
            problem: problem.into(),
        }
    }

    /// The protocol's code for it.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Param { .. } => ErrorCode::InvalidParams,
            Self::UnknownParent => ErrorCode::UnknownHash,
            Self::NothingBuilt
            | Self::NotReady
            | Self::RegistrationsFull { .. }
            | Self::OtherRevealed { .. }
            | Self::NoKey(_) => ErrorCode::Server,
            Self::NoRegistration => ErrorCode::UnknownValidator,
            Self::NotABlock => ErrorCode::Ssz,
            Self::NotOffered => ErrorCode::UnknownBlock,
            Self::Stranger | Self::KeyNotNamed | Self::NobodyListed => ErrorCode::Signature,
            Self::Refused(refusal) => match refusal {
                Refusal::Malformed(_) | Refusal::OtherSlot { .. } => ErrorCode::InvalidParams,
                Refusal::Stranger => ErrorCode::Signature,
                Refusal::NothingBuilt => ErrorCode::UnknownHash,
                Refusal::NotReady
                | Refusal::Incomplete
                | Refusal::TooSlow
                | Refusal::TooLong { .. }
                | Refusal::TooOften
                | Refusal::Path
                | Refusal::Method => ErrorCode::Server,
            },
            Self::NotRecorded(_) | Self::Fault(_) => ErrorCode::Internal,
        }
    }

    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotReady => Severity::Retry,
            Self::Param { .. }
            | Self::UnknownParent
            | Self::NothingBuilt
            | Self::NoRegistration
            | Self::RegistrationsFull { .. }
            | Self::NotABlock
            | Self::NotOffered
            | Self::Stranger
            | Self::KeyNotNamed
            | Self::NobodyListed
            | Self::OtherRevealed { .. }
            | Self::NoKey(_)
            | Self::Refused(_)
            | Self::NotRecorded(_)
            | Self::Fault(_) => Severity::AbandonJob,
        }
    }
}

/// A kept file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// It is not what was written there.
    #[error("{path} is damaged: {reason} (put a sound copy in its place, or move it away)")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It cannot be written.
    #[error("{path} cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

impl StoreError {
    /// What to do about it: somebody has to look at the file.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Read { .. } | Self::Damaged { .. } | Self::Write { .. } => Severity::Fatal,
        }
    }
}
