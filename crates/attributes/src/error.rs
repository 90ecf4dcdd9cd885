//! What can be wrong with an event, and why the stream cannot be served or followed.

use std::net::SocketAddr;

use alloy_primitives::B256;
use blockwright_trust::TrustError;
use blockwright_types::Severity;

/// An event that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It is not JSON.
    #[error("the event is not JSON: {0}")]
    NotJson(String),
    /// A field is missing or wrong.
    #[error("{field} {problem}")]
    Field {
        /// Where it stands, `transactions[3].gas` for instance.
        field: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// It is no object.
    #[error("must be an object")]
    NotAnObject,
    /// It is no list.
    #[error("must be a list")]
    NotAList,
    /// It is neither `true` nor `false`.
    #[error("must be true or false")]
    NotABoolean,
    /// It is neither a number nor one in hex.
    #[error("must be a number, or one in hex with 0x before it")]
    NotANumber,
    /// Its text is no hex.
    #[error("must be hex with 0x before it")]
    NotHex,
    /// The number has too many bits.
    #[error("does not fit into {0} bits")]
    TooBig(usize),
    /// It has another length.
    #[error("must have {0} bytes")]
    Length(usize),
    /// Its parts are not what they should be.
    #[error("is malformed: {0}")]
    Malformed(String),
    /// No block has transactions of this type.
    #[error("is not a transaction type of this chain: {0:#x}")]
    UnknownType(u64),
    /// The transaction is another than the one that is named.
    #[error("does not fit its transaction, whose hash is {0}")]
    OtherHash(B256),
}

impl Problem {
    /// The error of the field at `path`.
    pub(crate) fn at(self, path: impl Into<String>) -> EventError {
        EventError::Field {
            field: path.into(),
            problem: self,
        }
    }
}

impl EventError {
    /// What to do about it: the next event may be well-formed.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotJson(_) | Self::Field { .. } => Severity::AbandonJob,
        }
    }
}

/// The stream cannot be served or followed.
#[derive(Debug, thiserror::Error)]
pub enum AttributesError {
    /// The address cannot be listened on.
    #[error("the attributes stream cannot listen on {addr}: {source}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The text is no URL of a stream.
    #[error("the URL {0}")]
    Url(&'static str),
    /// Two URLs lead to the same server and path.
    #[error("{0} is named twice")]
    Twice(String),
    /// Certificate authorities cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl AttributesError {
    /// What to do about it: the operator has to give something else.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Bind { .. } | Self::Url(_) | Self::Twice(_) => Severity::Fatal,
            Self::Trust(error) => error.severity(),
        }
    }
}
