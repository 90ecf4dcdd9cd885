//! Why a request gets no payload, and how it is told.

use blockwright_builder_codec::RequestError;
use hyper::StatusCode;
use serde_json::json;

use crate::NotReleased;

/// An answer without a payload. What it says is no help to a stranger: without a proposer's signature
/// nothing is told of what is built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is no request.
    #[error(transparent)]
    Malformed(#[from] RequestError),
    /// The body did not come whole.
    #[error("the body ended early")]
    Incomplete,
    /// The body was not there in time.
    #[error("the body took too long")]
    TooSlow,
    /// The body is longer than a request can be.
    #[error("the body is longer than {bytes_max} bytes")]
    TooLong {
        /// Most bytes of a body.
        bytes_max: usize,
    },
    /// The address asks too often.
    #[error("too many requests from this address")]
    TooOften,
    /// Not a signature of a proposer this builder knows.
    #[error("the signature is not one of a proposer that this builder releases payloads to")]
    Stranger,
    /// The parent has another number than the request says.
    #[error("message.slot is {asked}, but the block on message.parentHash is {number}")]
    OtherSlot {
        /// The request's.
        asked: u64,
        /// The block's.
        number: u64,
    },
    /// There is no block on that parent.
    #[error("nothing was built on message.parentHash")]
    NothingBuilt,
    /// There is no block yet, or no signature.
    #[error("the payload is not ready")]
    NotReady,
    /// Another path.
    #[error("no such path: payloads are at POST /eth/v1/builder/payload")]
    Path,
    /// Another method.
    #[error("payloads are asked for by POST")]
    Method,
}

impl Refusal {
    /// HTTP status, which is the `code` of the body as well.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Incomplete | Self::OtherSlot { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::Stranger => StatusCode::UNAUTHORIZED,
            Self::NothingBuilt | Self::Path => StatusCode::NOT_FOUND,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// Stable name, for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Incomplete => "malformed",
            Self::TooSlow => "too_slow",
            Self::TooLong { .. } => "too_long",
            Self::TooOften => "too_often",
            Self::Stranger => "stranger",
            Self::OtherSlot { .. } => "other_slot",
            Self::NothingBuilt => "nothing_built",
            Self::NotReady => "not_ready",
            Self::Path => "path",
            Self::Method => "method",
        }
    }

    /// The body of the answer.
    pub fn json(&self) -> String {
        json!({"code": self.status().as_u16(), "message": self.to_string()}).to_string()
    }

    pub(crate) const fn of_source(error: NotReleased, asked: u64) -> Self {
        match error {
            NotReleased::NothingBuilt => Self::NothingBuilt,
            NotReleased::OtherNumber(number) => Self::OtherSlot { asked, number },
            NotReleased::NotReady => Self::NotReady,
        }
    }
}
