//! What the execution of one block depends on besides the parent's state.

use alloy_primitives::{Address, B256, Bytes, address};

use crate::OpFork;

/// EIP-2718 type byte of a deposit transaction.
pub const DEPOSIT_TX_TYPE: u8 = 0x7e;

/// The L2ToL1MessagePasser predeploy; from Isthmus its storage root is the header's withdrawals root.
pub const L2_TO_L1_MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// The L1Block predeploy that holds the L1 attributes.
pub const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");

/// Everything about a block that is settled before its first transaction runs.
///
/// Derived by the host from the parent header and the attributes (building) or from the block's own
/// header (importing), with all chain rules already applied; execution takes it as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Rules in force at `timestamp`.
    pub fork: OpFork,
    /// The fork that this very block activates, if it is an activation block.
    pub activates: Option<OpFork>,
    /// Parent block hash.
    pub parent_hash: B256,
    /// Block number.
    pub number: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Receives priority fees.
    pub fee_recipient: Address,
    /// `mixHash` of the header.
    pub prev_randao: B256,
    /// Block gas limit.
    pub gas_limit: u64,
    /// EIP-1559 base fee in wei.
    pub base_fee: u64,
    /// `extraData` as it must stand in the header (Holocene/Jovian parameters included).
    pub extra_data: Bytes,
    /// EIP-4788 root; `Some` from Ecotone.
    pub parent_beacon_block_root: Option<B256>,
}
