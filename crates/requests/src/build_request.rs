//! From attributes to a request for the builder.

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_chain::ChainSpec;
use blockwright_types::{BuildRequest, PayloadId, SharedTx, UnixUs};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::{RequestError, decode_all};

/// A block that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The payload's id.
    pub id: PayloadId,
    /// Header of the block to build on.
    pub parent: &'a Header,
    /// Its hash.
    pub parent_hash: B256,
    /// What the block is to be.
    pub attributes: &'a OpPayloadAttributes,
    /// When it was asked for.
    pub received_at: UnixUs,
}

/// Checks the attributes against the rules of the fork at their timestamp and decodes their transactions,
/// which on many cores keeps all of them busy. Those that `known` gives by their hash are not recovered.
///
/// # Errors
/// [`RequestError`] naming the attribute or the transaction that breaks a rule.
pub fn build_request(
    chain: &ChainSpec,
    wanted: &Wanted<'_>,
    known: impl Fn(&B256) -> Option<SharedTx> + Sync,
) -> Result<BuildRequest, RequestError> {
    let attributes = wanted.attributes;
    refuse_later_forks(attributes)?;
    let context = chain.context_for_attributes(wanted.parent, wanted.parent_hash, attributes)?;
    let encoded = attributes.transactions.as_deref().unwrap_or_default();
    Ok(BuildRequest {
        id: wanted.id,
        context,
        sequencer_transactions: decode_all(encoded, known)?,
        no_tx_pool: attributes.no_tx_pool.unwrap_or_default(),
        received_at: wanted.received_at,
        parent_timestamp: wanted.parent.timestamp,
    })
}

/// Fields that only forks after Karst know. Asked by the names on the wire, since not every version of these types that a
/// host may have has all of them.
fn refuse_later_forks(attributes: &OpPayloadAttributes) -> Result<(), RequestError> {
    let fields = serde_json::to_value(&attributes.payload_attributes)
        .map_err(|error| RequestError::Internal(error.to_string()))?;
    for name in ["slotNumber", "targetGasLimit"] {
        if fields.get(name).is_some_and(|value| !value.is_null()) {
            let reason = format!("{name} is not allowed under any fork up to Karst");
            return Err(RequestError::Refused(reason));
        }
    }
    Ok(())
}
