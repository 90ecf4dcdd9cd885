//! Who may have a payload, and what is said of it.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use blockwright_builder_codec::{PayloadRequest, RequestMessage, VersionNames, signing_digest};
use blockwright_signer::{Signature, Signer, recover};
use blockwright_types::{OpFork, SealedBlock};
use bytes::Bytes;

use crate::signed_bids::{SignedBid, SignedBids};
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
    signed: SignedBids,
}

/// A request of somebody who may have payloads.
#[derive(Clone, Debug)]
pub struct Admitted {
    message: RequestMessage,
    /// Zero where anybody may.
    proposer: Address,
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
        Self {
            config,
            source,
            signed: SignedBids::default(),
        }
    }

    /// Whose signature bids have.
    pub fn builder(&self) -> Address {
        self.config.signer.address()
    }

    /// The answer to a request with this body. May compute roots and wait for a signature, so it belongs on a
    /// thread that may be busy for a while.
    ///
    /// # Errors
    /// [`Refusal`], decided in this order: the body's form, the signature, the parent, the slot.
    pub fn answer(&self, body: &[u8]) -> Result<Answer, Refusal> {
        self.answer_to(&self.admit(body)?)
    }

    /// Reads a request and finds out whose it is, which takes a tenth of a millisecond.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] and [`Refusal::Stranger`].
    pub fn admit(&self, body: &[u8]) -> Result<Admitted, Refusal> {
        let PayloadRequest { message, signature } = PayloadRequest::from_json(body)?;
        let proposer = self.proposer(&message, &signature)?;
        Ok(Admitted { message, proposer })
    }

    /// Whether [`Self::answer_to`] this request takes a fraction of a millisecond: no roots have to be
    /// computed, and nobody elsewhere signs.
    pub fn is_prompt(&self, request: &Admitted) -> bool {
        self.config.signer.is_prompt() && self.source.is_at_hand(request.message.parent_hash)
    }

    /// The answer to an admitted request.
    ///
    /// # Errors
    /// [`Refusal`], decided in this order: the parent, the slot.
    pub fn answer_to(&self, request: &Admitted) -> Result<Answer, Refusal> {
        let Admitted { message, proposer } = request;
        let released = self
            .source
            .release(message.parent_hash, message.slot)
            .map_err(|error| Refusal::of_source(error, message.slot))?;
        let Released {
            block,
            parent_fork,
            payload_json,
        } = released;
        let (number, hash, value) = (block.header.number, block.hash, block.value);
        let bid = if let Some(bid) = self.signed.find(hash, *proposer) {
            tracing::debug!(number, %hash, %proposer, "payload handed out again");
            bid
        } else {
            let bid = self.sign(&block, parent_fork, *proposer)?;
            self.signed.keep(bid.clone());
            tracing::info!(number, %hash, %proposer, %value, "payload released");
            bid
        };
        let mut json = Vec::with_capacity(payload_json.len() + 2);
        json.push(bid.before);
        json.extend(payload_json);
        json.push(bid.after);
        Ok(Answer {
            block,
            proposer: *proposer,
            json,
        })
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

    fn sign(
        &self,
        block: &SealedBlock,
        parent_fork: OpFork,
        proposer: Address,
    ) -> Result<SignedBid, Refusal> {
        let DeskConfig {
            chain_id, signer, ..
        } = &self.config;
        let bid = bid_of(block, signer.address(), proposer);
        let digest: B256 = signing_digest(*chain_id, &bid);
        let signature = signer.sign(digest).map_err(|error| {
            tracing::error!(%error, "a bid is not signed");
            Refusal::NotReady
        })?;
        let version = self.config.version_names.of(parent_fork);
        let message = serde_json::to_string(&bid).map_err(|_| Refusal::NotReady)?;
        let before =
            format!("{{\"version\":\"{version}\",\"message\":{message},\"executionPayload\":");
        Ok(SignedBid {
            block_hash: block.hash,
            proposer,
            before: Bytes::from(before),
            after: Bytes::from(format!(",\"signature\":\"{signature}\"}}")),
        })
    }
}
