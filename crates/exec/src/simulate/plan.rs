//! Which blocks a simulation consists of.

use super::{BlockCalls, BlockOverrides, SimulationError, SimulationRequest};
use crate::call::CallRequest;

/// Blocks that a simulation may reach above its base, filled gaps included.
pub const SIMULATED_BLOCKS_MAX: u64 = 256;

/// Seconds from block to block where nothing else is said. The method means Ethereum's slot on every
/// chain.
const BLOCK_TIME_S: u64 = 12;

static NO_OVERRIDES: BlockOverrides = BlockOverrides {
    number: None,
    timestamp: None,
    gas_limit: None,
    fee_recipient: None,
    prev_randao: None,
    base_fee: None,
    blob_base_fee: None,
    parent_beacon_block_root: None,
};

/// A block with its place in the chain.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) number: u64,
    pub(super) timestamp: u64,
    /// `None` for a block that fills a gap.
    pub(super) block: Option<&'a BlockCalls>,
}

impl<'a> Planned<'a> {
    pub(super) fn overrides(&self) -> &'a BlockOverrides {
        self.block.map_or(&NO_OVERRIDES, |block| &block.block)
    }

    pub(super) fn calls(&self) -> &'a [CallRequest] {
        self.block.map_or(&[], |block| &block.calls)
    }
}

/// Gives every block number and time, and fills the gaps between numbers.
pub(super) fn plan(request: &SimulationRequest) -> Result<Vec<Planned<'_>>, SimulationError> {
    let calls: usize = request.blocks.iter().map(|block| block.calls.len()).sum();
    if calls > request.calls_max {
        return Err(SimulationError::TooManyCalls {
            calls,
            max: request.calls_max,
        });
    }
    let base = request.base.header.number;
    let mut planned = Vec::with_capacity(request.blocks.len());
    let mut number = base;
    let mut timestamp = request.base.header.timestamp;
    for block in &request.blocks {
        let wanted = block
            .block
            .number
            .unwrap_or_else(|| number.saturating_add(1));
        if wanted <= number {
            return Err(SimulationError::BlockNumber {
                number: wanted,
                previous: number,
            });
        }
        if wanted - base > SIMULATED_BLOCKS_MAX {
            return Err(SimulationError::TooManyBlocks);
        }
        for number in number + 1..wanted {
            timestamp = timestamp.saturating_add(BLOCK_TIME_S);
            planned.push(Planned {
                number,
                timestamp,
                block: None,
            });
        }
        let time = block
            .block
            .timestamp
            .unwrap_or_else(|| timestamp.saturating_add(BLOCK_TIME_S));
        if time <= timestamp {
            return Err(SimulationError::BlockTimestamp {
                timestamp: time,
                previous: timestamp,
            });
        }
        (number, timestamp) = (wanted, time);
        planned.push(Planned {
            number,
            timestamp,
            block: Some(block),
        });
    }
    Ok(planned)
}
