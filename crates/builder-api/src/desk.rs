//! Who may have a payload, and what is said of it.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use blockwright_builder_codec::{PayloadRequest, RequestMessage, VersionNames, signing_digest};
use blockwright_signer::{Signature, Signer, recover};
use blockwright_types::SealedBlock;
use bytes::Bytes;

use crate::{PayloadSource, Refusal, Released, bid_of};

/// How a desk answers.
#[derive(Clone, Debug)]
pub struct DeskConfig {
    /// The chain, which every signature is bound to.
    pub chain_id: u64,
    /// Who may have payloads; empty for anybody, whatever the signature.
    pub proposers: Vec<Address>,
    /// Names of versions.
    pub version_names: VersionNames,
    /// Signs bids.
    pub signer: Arc<dyn Signer>,
}

/// Answers requests from what is built.
pub struct PayloadDesk {
    config: DeskConfig,
    source: Arc<dyn PayloadSource>,
}

/// A payload with its signed bid.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// Who gets it; zero where anybody may.
    pub proposer: Address,
    /// The body, in pieces.
    pub json: Vec<Bytes>,
}

impl PayloadDesk {
    /// A desk for what `source` has.
    pub fn new(config: DeskConfig, source: Arc<dyn PayloadSource>) -> Self {
        Self { config, source }
    }

    /// Whose signature bids have.
    pub fn builder(&self) -> Address {
        self.config.signer.address()
    }

    /// The answer to a request with this body. Computes signatures, so it belongs on a thread that may
    /// be busy for a while.
    ///
    /// # Errors
    /// [`Refusal`], decided in this order: the body's form, the signature, the parent, the slot.
    pub fn answer(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let PayloadRequest { message, signature } = PayloadRequest::from_json(body)?;
        let proposer = self.proposer(&message, &signature)?;
        let released = self
            .source
            .release(message.parent_hash, message.slot)
            .map_err(|error| Refusal::of_source(error, message.slot))?;
        self.signed(released, proposer)
    }

    /// Whose request it is, if it is one that may be answered.
    fn proposer(
        &self,
        message: &RequestMessage,
        signature: &Signature,
    ) -> Result<Address, Refusal> {
        if self.config.proposers.is_empty() {
            return Ok(Address::ZERO);
        }
        let digest = signing_digest(self.config.chain_id, message);
        match recover(digest, signature) {
            Ok(proposer) if self.config.proposers.contains(&proposer) => Ok(proposer),
            Ok(_) | Err(_) => Err(Refusal::Stranger),
        }
    }

    fn signed(&self, released: Released, proposer: Address) -> Result<Answer, Refusal> {
        let DeskConfig {
            chain_id, signer, ..
        } = &self.config;
        let bid = bid_of(&released.block, signer.address(), proposer);
        let digest: B256 = signing_digest(*chain_id, &bid);
        let signature = signer.sign(digest).map_err(|error| {
            tracing::error!(%error, "a bid is not signed");
            Refusal::NotReady
        })?;
        let version = self.config.version_names.of(released.parent_fork);
        let message = serde_json::to_string(&bid).map_err(|_| Refusal::NotReady)?;
        let before =
            format!("{{\"version\":\"{version}\",\"message\":{message},\"executionPayload\":");
        let mut json = Vec::with_capacity(released.payload_json.len() + 2);
        json.push(Bytes::from(before));
        json.extend(released.payload_json);
        json.push(Bytes::from(format!(",\"signature\":\"{signature}\"}}")));
        Ok(Answer {
            block: released.block,
            proposer,
            json,
        })
    }
}
