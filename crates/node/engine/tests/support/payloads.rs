//! Payloads bent out of shape.

use alloy_primitives::B256;
use blockwright_chain::ChainSpec;
use blockwright_engine::PayloadEnvelope;

/// `envelope` with a change, and the block hash that goes with it.
pub fn rehashed(
    chain: &ChainSpec,
    envelope: &PayloadEnvelope,
    change: impl FnOnce(&mut PayloadEnvelope),
) -> PayloadEnvelope {
    let mut changed = envelope.clone();
    change(&mut changed);
    changed.execution_payload.block_hash = hash(chain, &changed);
    changed
}

pub fn hash(chain: &ChainSpec, envelope: &PayloadEnvelope) -> B256 {
    let payload = &envelope.execution_payload;
    let fork = chain.fork_at(payload.timestamp);
    payload
        .header(fork, envelope.parent_beacon_block_root)
        .hash_slow()
}
