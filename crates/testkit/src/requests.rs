//! Build requests for tests.

use alloy_primitives::{B256, Bytes};
use blockwright_types::{BlockContext, BuildRequest, OpFork, PayloadId, SharedTx, UnixUs};

use crate::address;

/// Timestamp of the parent of every test block, in seconds.
pub const BLOCK_START_S: u64 = 1_800_000_000;

/// A two-second block of 30 Mgas on a parent at [`BLOCK_START_S`], asked for 45 ms before that.
pub fn request(id: u64, sequencer_transactions: Vec<SharedTx>) -> BuildRequest {
    BuildRequest {
        id: PayloadId::new(id.to_be_bytes()),
        context: BlockContext {
            chain_id: 901,
            fork: OpFork::Jovian,
            activates: None,
            parent_hash: B256::repeat_byte(0xaa),
            number: 100,
            timestamp: BLOCK_START_S + 2,
            fee_recipient: address(999_999),
            prev_randao: B256::ZERO,
            gas_limit: 30_000_000,
            base_fee: 1_000_000,
            extra_data: Bytes::from_static(&[1, 0, 0, 0, 250, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]),
            parent_beacon_block_root: Some(B256::ZERO),
        },
        sequencer_transactions,
        no_tx_pool: false,
        received_at: UnixUs::from_secs(BLOCK_START_S).minus_us(45_000),
        parent_timestamp: BLOCK_START_S,
    }
}
