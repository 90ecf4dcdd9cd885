//! What is asked of one builder, from all sides.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_chain::ChainSpec;
use blockwright_payload::ForkchoiceVersion;
use blockwright_seams::{Clock, Host};
use blockwright_service::BuilderHandle;
use blockwright_types::{BuildRequest, PayloadId, UnixUs};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::given::Given;
use crate::{BuildingNode, RequestError, Wanted, build_request};

/// Settings of [`Requests`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestsConfig {
    /// First byte of the payload ids of `engine_forkchoiceUpdatedV3`.
    pub payload_id_version: u8,
}

/// What [`Requests`] stands on.
pub struct RequestsDeps<H: Host> {
    /// Chain rules.
    pub chain: Arc<ChainSpec>,
    /// The node.
    pub node: Arc<dyn BuildingNode>,
    /// For states before blocks.
    pub host: H,
    /// The builder.
    pub builder: BuilderHandle<H>,
    /// Wall clock, for the arrival time of attributes.
    pub clock: Arc<dyn Clock>,
}

/// What is asked of one builder. Clones share everything. No call waits for building but those that say so.
pub struct Requests<H: Host> {
    pub(crate) inner: Arc<Inner<H>>,
}

pub(crate) struct Inner<H: Host> {
    config: RequestsConfig,
    pub(crate) deps: RequestsDeps<H>,
    /// Attributes that came from the consensus client.
    pub(crate) given: Given,
}

impl<H: Host> Clone for Requests<H> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<H: Host> Requests<H> {
    /// Nothing was asked for yet.
    pub fn new(config: RequestsConfig, deps: RequestsDeps<H>) -> Self {
        let given = Given::new();
        Self {
            inner: Arc::new(Inner {
                config,
                deps,
                given,
            }),
        }
    }

    /// The chain's rules.
    pub fn chain(&self) -> &Arc<ChainSpec> {
        &self.inner.deps.chain
    }

    /// The node.
    pub fn node(&self) -> &Arc<dyn BuildingNode> {
        &self.inner.deps.node
    }

    /// The builder.
    pub fn builder(&self) -> &BuilderHandle<H> {
        &self.inner.deps.builder
    }

    /// The request that `attributes` make which came by this method. Decodes their transactions: for threads
    /// that may be busy.
    ///
    /// # Errors
    /// [`RequestError`] naming what breaks a rule.
    pub fn request(
        &self,
        version: ForkchoiceVersion,
        parent_hash: B256,
        attributes: &OpPayloadAttributes,
        received_at: UnixUs,
    ) -> Result<BuildRequest, RequestError> {
        let chain = self.chain();
        version.check(chain.fork_at(attributes.payload_attributes.timestamp))?;
        let newest = self.inner.config.payload_id_version;
        let id = version.payload_id(newest, parent_hash, attributes);
        self.request_as(id, parent_hash, attributes, received_at)
    }

    /// As [`Self::request`] of a node that has made the id itself.
    ///
    /// # Errors
    /// [`RequestError`] naming what breaks a rule.
    pub fn request_as(
        &self,
        id: PayloadId,
        parent_hash: B256,
        attributes: &OpPayloadAttributes,
        received_at: UnixUs,
    ) -> Result<BuildRequest, RequestError> {
        let node = self.node();
        let parent = node.header(parent_hash);
        let wanted = Wanted {
            id,
            parent: &parent.ok_or(RequestError::UnknownParent(parent_hash))?,
            parent_hash,
            attributes,
            received_at,
        };
        build_request(self.chain(), &wanted, |hash| node.transaction(hash))
    }
}
