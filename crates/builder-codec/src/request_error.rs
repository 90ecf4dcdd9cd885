//! What can be wrong with a request for a payload.

use blockwright_types::Severity;

/// A body that is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// An object is expected.
    #[error("{0} must be an object")]
    NotAnObject(&'static str),
    /// A field is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field is not text.
    #[error("{0} must be text: hex with 0x before it")]
    NotText(&'static str),
    /// A field's text is not hex.
    #[error("{0} must be hex with 0x before it")]
    NotHex(&'static str),
    /// A number is too big.
    #[error("{0} does not fit into 64 bits")]
    TooBig(&'static str),
    /// A field has another length.
    #[error("{field} must have {length} bytes")]
    Length {
        /// The field.
        field: &'static str,
        /// Bytes it must have.
        length: usize,
    },
}

impl RequestError {
    /// What to do about it: another request may be well-formed.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotJson(_)
            | Self::NotAnObject(_)
            | Self::Missing(_)
            | Self::NotText(_)
            | Self::NotHex(_)
            | Self::TooBig(_)
            | Self::Length { .. } => Severity::AbandonJob,
        }
    }
}
