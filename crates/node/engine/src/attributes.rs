//! From attributes to a request for the builder.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_types::{BuildRequest, PayloadId, UnixUs};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::engine::{Inner, blocking};
use crate::senders::decode_all;
use crate::{EngineError, ForkchoiceVersion};

impl Inner {
    /// Checks `attributes` against the rules of the fork at their timestamp and decodes their
    /// transactions, off the async workers.
    pub(crate) async fn request(
        self: &Arc<Self>,
        version: ForkchoiceVersion,
        parent: B256,
        attributes: Arc<OpPayloadAttributes>,
        received_at: UnixUs,
    ) -> Result<BuildRequest, EngineError> {
        version.check(self.chain.fork_at(attributes.payload_attributes.timestamp))?;
        let inner = Arc::clone(self);
        blocking(move || {
            let id = attributes.payload_id(&parent, inner.id_version(version));
            inner.request_on(parent, &attributes, id, received_at)
        })
        .await?
    }

    /// Clients number ids by the method that made them; of the newest method it is configurable.
    pub(crate) const fn id_version(&self, version: ForkchoiceVersion) -> u8 {
        match version {
            ForkchoiceVersion::V1 => 1,
            ForkchoiceVersion::V2 => 2,
            ForkchoiceVersion::V3 => self.config.payload_id_version,
        }
    }

    pub(crate) fn request_on(
        &self,
        parent_hash: B256,
        attributes: &OpPayloadAttributes,
        id: PayloadId,
        received_at: UnixUs,
    ) -> Result<BuildRequest, EngineError> {
        refuse_later_forks(attributes)?;
        let parent = self
            .store
            .header(parent_hash)
            .ok_or(EngineError::StateUnavailable(parent_hash))?;
        let context = self
            .chain
            .context_for_attributes(&parent, parent_hash, attributes)?;
        let encoded = attributes.transactions.as_deref().unwrap_or_default();
        let sequencer_transactions =
            decode_all(&self.pool, &self.store, encoded).map_err(|bad| {
                EngineError::AttributesTransaction {
                    index: bad.index,
                    reason: bad.error.to_string(),
                }
            })?;
        Ok(BuildRequest {
            id,
            context,
            sequencer_transactions,
            no_tx_pool: attributes.no_tx_pool.unwrap_or_default(),
            received_at,
            parent_timestamp: parent.timestamp,
        })
    }
}

/// Fields that only forks after Karst know.
fn refuse_later_forks(attributes: &OpPayloadAttributes) -> Result<(), EngineError> {
    let inner = &attributes.payload_attributes;
    for (name, present) in [
        ("slotNumber", inner.slot_number.is_some()),
        ("targetGasLimit", inner.target_gas_limit.is_some()),
    ] {
        if present {
            let reason = format!("{name} is not allowed under any fork up to Karst");
            return Err(EngineError::AttributesRefused(reason));
        }
    }
    Ok(())
}
