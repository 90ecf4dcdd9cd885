//! Frames and envelopes as far as the figures need them.

use alloy_primitives::{B256, Bytes, Keccak256, U64, keccak256};
use blockwright_flashblocks::decode_v1;
use rayon::prelude::*;
use serde::Deserialize;

use crate::{BlockRecord, Frame};

/// A flashblock without its transactions' bytes, receipts and balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flashblock {
    /// When it arrived, in microseconds since the epoch.
    pub(super) at_us: u64,
    pub(super) payload_id: [u8; 8],
    pub(super) index: u64,
    pub(super) zero_root: bool,
    /// Digest of everything in `diff` that a consumer builds on.
    pub(super) content: B256,
    /// Hashes of its transactions in order.
    pub(super) transactions: Vec<B256>,
}

/// A sealed block without its transactions' bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) zero_root: bool,
    pub(super) gas_used: u64,
    pub(super) gas_limit: u64,
    /// Hashes of its transactions in order.
    pub(super) transactions: Vec<B256>,
}

/// Everything that was recorded as bytes, read.
#[derive(Debug)]
pub(super) struct Parsed {
    /// In order of arrival.
    pub(super) flashblocks: Vec<Flashblock>,
    /// What is wrong with each frame that is no flashblock.
    pub(super) undecodable: Vec<String>,
    /// In order of the blocks; an envelope that cannot be read is its error.
    pub(super) sealed: Vec<Result<Sealed, String>>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "executionPayload")]
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    state_root: B256,
    gas_used: U64,
    gas_limit: U64,
    transactions: Vec<Bytes>,
}

/// Reads all frames and envelopes on all cores: after a flood it is a gigabyte of JSON.
pub(super) fn parse(frames: &[Frame], blocks: &[BlockRecord]) -> Parsed {
    let read: Vec<_> = frames.par_iter().map(flashblock).collect();
    let mut parsed = Parsed {
        flashblocks: Vec::with_capacity(read.len()),
        undecodable: Vec::new(),
        sealed: blocks.par_iter().map(sealed).collect(),
    };
    for frame in read {
        match frame {
            Ok(flashblock) => parsed.flashblocks.push(flashblock),
            Err(error) => parsed.undecodable.push(error),
        }
    }
    parsed
}

fn flashblock(frame: &Frame) -> Result<Flashblock, String> {
    let decoded = decode_v1(&frame.bytes).map_err(|error| error.to_string())?;
    let diff = &decoded.diff;
    let transactions: Vec<_> = diff.transactions.iter().map(keccak256).collect();
    let mut content = Keccak256::new();
    content.update(diff.state_root);
    content.update(diff.receipts_root);
    content.update(diff.block_hash);
    content.update(diff.gas_used.to_be_bytes());
    for hash in &transactions {
        content.update(hash);
    }
    Ok(Flashblock {
        at_us: frame.at_us,
        payload_id: decoded.payload_id.0.0,
        index: decoded.index,
        zero_root: diff.state_root.is_zero(),
        content: content.finalize(),
        transactions,
    })
}

fn sealed(block: &BlockRecord) -> Result<Sealed, String> {
    let envelope: Envelope =
        serde_json::from_slice(&block.envelope).map_err(|error| error.to_string())?;
    let payload = envelope.payload;
    Ok(Sealed {
        zero_root: payload.state_root.is_zero(),
        gas_used: payload.gas_used.to(),
        gas_limit: payload.gas_limit.to(),
        transactions: payload.transactions.iter().map(keccak256).collect(),
    })
}
