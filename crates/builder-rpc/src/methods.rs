//! The methods of the namespace: one table for the module and the OpenRPC document.

use serde_json::{Value, json};

use crate::ErrorCode;

/// A method of the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Registers a fee recipient.
    SetFeeRecipient,
    /// Gives a signed header.
    GetBlindPayload,
    /// Gives the payload for a signed block.
    GetExecutionPayload,
    /// Gives a payload with a signed bid.
    GetPayload,
    /// Tells how the builder is.
    Status,
    /// Follows bids.
    Subscribe,
    /// Ends a subscription.
    Unsubscribe,
}

/// A parameter or a result.
pub(crate) struct Content {
    pub(crate) name: &'static str,
    pub(crate) is_required: bool,
    pub(crate) schema: Value,
}

impl Content {
    fn required(name: &'static str, schema: Value) -> Self {
        Self {
            name,
            is_required: true,
            schema,
        }
    }

    fn optional(name: &'static str, schema: Value) -> Self {
        Self {
            is_required: false,
            ..Self::required(name, schema)
        }
    }
}

/// A schema that stands among the document's components.
fn component(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SetFeeRecipient,
        Self::GetBlindPayload,
        Self::GetExecutionPayload,
        Self::GetPayload,
        Self::Status,
        Self::Subscribe,
        Self::Unsubscribe,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SetFeeRecipient => "builder_setFeeRecipientV1",
            Self::GetBlindPayload => "builder_getBlindExecutionPayloadV1",
            Self::GetExecutionPayload => "builder_getExecutionPayloadV1",
            Self::GetPayload => "builder_getPayloadV1",
            Self::Status => "builder_status",
            Self::Subscribe => "builder_subscribe",
            Self::Unsubscribe => "builder_unsubscribe",
        }
    }

    /// What it is for.
    pub(crate) const fn summary(self) -> &'static str {
        match self {
            Self::SetFeeRecipient => {
                "Registers who is to receive the fees of a proposer's blocks. Kept across restarts."
            }
            Self::GetBlindPayload => {
                "The signed header of the block that is built on a parent, as it is now, and its value for \
                 the fee recipient of the proposer that is expected. Building goes on."
            }
            Self::GetExecutionPayload => {
                "The payload of a beacon block, blinded or full, that its proposer signed. Building ends. \
                 Another block of the same slot is refused from then on."
            }
            Self::GetPayload => {
                "The payload built on a parent with a signed bid, as POST /eth/v1/builder/payload gives it."
            }
            Self::Status => "Head, jobs, last flashblock, keys and health of the builder.",
            Self::Subscribe => {
                "Bids as they improve, never transactions; by WebSocket. Notifications are of \
                 builder_subscription."
            }
            Self::Unsubscribe => "Ends a subscription.",
        }
    }

    /// Its parameters, in order.
    pub(crate) fn params(self) -> Vec<Content> {
        let public_key = || Content::optional("publicKey", component("BlsPublicKey"));
        match self {
            Self::SetFeeRecipient => vec![
                Content::required("feeRecipient", component("Address")),
                Content::required("signature", component("BlsSignature")),
                public_key(),
            ],
            Self::GetBlindPayload => vec![Content::required("parentHash", component("Hash"))],
            Self::GetExecutionPayload => vec![
                Content::required("block", component("Bytes")),
                Content::required("signature", component("BlsSignature")),
                public_key(),
            ],
            Self::GetPayload => vec![Content::required("request", component("PayloadRequest"))],
            Self::Status => Vec::new(),
            Self::Subscribe => {
                vec![Content::optional("subscription", json!({"const": "bids"}))]
            }
            Self::Unsubscribe => vec![Content::required("id", json!({"type": "string"}))],
        }
    }

    /// Its result.
    pub(crate) fn result(self) -> Content {
        match self {
            Self::SetFeeRecipient => Content::required("nothing", json!({"type": "null"})),
            Self::GetBlindPayload => Content::required("header", component("BlindAnswer")),
            Self::GetExecutionPayload => {
                Content::required("executionPayload", component("ExecutionPayload"))
            }
            Self::GetPayload => Content::required("payload", component("SignedPayload")),
            Self::Status => Content::required("status", component("Status")),
            Self::Subscribe => Content::required("id", json!({"type": "string"})),
            Self::Unsubscribe => Content::required("ended", json!({"type": "boolean"})),
        }
    }

    /// The codes it may answer with, beside those of JSON-RPC itself.
    pub(crate) const fn errors(self) -> &'static [ErrorCode] {
        use ErrorCode::{
            Internal, InvalidParams, Server, Signature, Ssz, UnknownBlock, UnknownHash,
            UnknownValidator,
        };
        match self {
            Self::SetFeeRecipient => &[Server, Signature, InvalidParams, Internal],
            Self::GetBlindPayload => &[
                Server,
                UnknownHash,
                UnknownValidator,
                InvalidParams,
                Internal,
            ],
            Self::GetExecutionPayload => &[
                Server,
                Ssz,
                UnknownBlock,
                Signature,
                InvalidParams,
                Internal,
            ],
            Self::GetPayload => &[Server, UnknownHash, Signature, InvalidParams, Internal],
            Self::Status | Self::Subscribe | Self::Unsubscribe => &[InvalidParams],
        }
    }
}
