//! The containers of dialect `spec`, fields in the order of the protocol text.
//!
//! The text gives `Optional` fields without saying how SSZ, which has none, encodes them: here an
//! optional field is a list of at most one item. It gives no limits for the lists either: those
//! here are part of the hash tree root, and so of the format.

use alloy_primitives::{Address, B64, B256, FixedBytes, U256};
use ssz_derive::{Decode, Encode};
use ssz_types::typenum::{U16, U1048576};
use ssz_types::{ListEncodedOption, VariableList};
use tree_hash::{PackedEncoding, TreeHash, TreeHashType};
use tree_hash_derive::TreeHash;

use super::byte_list::ByteList;
use super::merkle::{fields_root, list_root, optional_root};

/// The `version` that is written and read.
pub const SPEC_VERSION: FixedBytes<4> = FixedBytes::new([0, 0, 0, 1]);

/// A value that may be absent: a `List` of limit 1.
pub type Optional<T> = ListEncodedOption<T>;

/// One flashblock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct FlashblocksPayloadV1 {
    /// Format of what follows: [`SPEC_VERSION`].
    pub version: FixedBytes<4>,
    /// Payload it belongs to.
    pub payload_id: B64,
    /// Hash tree root of the flashblock before in the payload; absent at index 0.
    pub parent_flash_hash: Optional<B256>,
    /// Position in the payload, contiguous from 0.
    pub index: u64,
    /// `static` in the text and `base` in the JSON dialects: what does not change within the
    /// payload. Present exactly at index 0.
    pub base: Optional<ExecutionPayloadStaticV1>,
    /// This flashblock's transactions and the header fields of the block so far.
    pub diff: ExecutionPayloadFlashblockDeltaV1,
    /// What this flashblock's execution changed.
    pub metadata: FlashblocksMetadata,
}

impl FlashblocksPayloadV1 {
    /// The hash tree root: what the next flashblock names as its parent, and what is signed.
    pub fn flash_hash(&self) -> B256 {
        self.tree_hash_root()
    }
}

/// The part of a block that is settled before its first transaction.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ExecutionPayloadStaticV1 {
    /// EIP-4788 root (zero before Ecotone).
    pub parent_beacon_block_root: B256,
    /// Parent hash.
    pub parent_hash: B256,
    /// Fee recipient.
    pub fee_recipient: Address,
    /// `mixHash`.
    pub prev_randao: B256,
    /// Block number.
    pub block_number: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Extra data, at most 32 bytes.
    pub extra_data: ByteList<32>,
    /// Base fee in wei.
    pub base_fee_per_gas: U256,
}

/// What a flashblock adds. All but the transactions covers the block so far.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ExecutionPayloadFlashblockDeltaV1 {
    /// State root.
    pub state_root: B256,
    /// Receipts root.
    pub receipts_root: B256,
    /// Bloom of the logs.
    pub logs_bloom: FixedBytes<256>,
    /// Gas used.
    pub gas_used: u64,
    /// Block hash.
    pub block_hash: B256,
    /// This flashblock's transactions as EIP-2718 bytes: at most 2^20 of 2^30 bytes each.
    pub transactions: VariableList<ByteList<{ 1 << 30 }>, U1048576>,
    /// Empty on the OP Stack; at most 16.
    pub withdrawals: VariableList<Withdrawal, U16>,
    /// The header's withdrawals root; zero where the header has none.
    pub withdrawals_root: B256,
}

/// A withdrawal as the consensus layer encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct Withdrawal {
    /// Running number.
    pub index: u64,
    /// The validator's.
    pub validator_index: u64,
    /// Receives the amount.
    pub address: Address,
    /// In gwei.
    pub amount: u64,
}

/// What the execution of one flashblock changed, for indexing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct FlashblocksMetadata {
    /// Accounts it changed, by address; at most 2^20.
    pub accounts: VariableList<AccountMetadata, U1048576>,
    /// Outcomes of its transactions, in their order; at most 2^20.
    pub transactions: VariableList<TransactionMetadata, U1048576>,
}

/// An account after a flashblock. One that no longer exists has balance and nonce 0.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AccountMetadata {
    /// Address.
    pub address: Address,
    /// Balance in wei; absent where it is as an earlier flashblock of the payload left it.
    pub balance: Optional<U256>,
    /// Nonce.
    pub nonce: u64,
    /// Code, where this flashblock created it; at most 2^24 bytes. An EIP-7702 delegation is code.
    pub code: Optional<ByteList<{ 1 << 24 }>>,
    /// Slots it changed, by key, each once; at most 2^20.
    pub storage_slots: VariableList<StorageSlot, U1048576>,
}

/// The hash tree root of a container by the roots of its fields. Nothing packs a container into a
/// chunk with others; its own chunk would be its root.
macro_rules! container_root {
    ($container:ty, $self:ident => $fields:expr) => {
        impl TreeHash for $container {
            fn tree_hash_type() -> TreeHashType {
                TreeHashType::Container
            }

            fn tree_hash_packed_encoding(&self) -> PackedEncoding {
                PackedEncoding::from_slice(self.tree_hash_root().as_slice())
            }

            fn tree_hash_packing_factor() -> usize {
                1
            }

            fn tree_hash_root(&$self) -> B256 {
                fields_root($fields)
            }
        }
    };
}

container_root!(ExecutionPayloadFlashblockDeltaV1, self => [
    self.state_root,
    self.receipts_root,
    self.logs_bloom.tree_hash_root(),
    self.gas_used.tree_hash_root(),
    self.block_hash,
    list_root(&self.transactions),
    list_root(&self.withdrawals),
    self.withdrawals_root,
]);

container_root!(FlashblocksMetadata, self => [
    list_root(&self.accounts),
    list_root(&self.transactions),
]);

container_root!(AccountMetadata, self => [
    self.address.tree_hash_root(),
    optional_root(&self.balance),
    self.nonce.tree_hash_root(),
    optional_root(&self.code),
    list_root(&self.storage_slots),
]);

container_root!(TransactionMetadata, self => [
    self.status.tree_hash_root(),
    self.gas_used.tree_hash_root(),
    optional_root(&self.contract_address),
]);

/// A storage slot after a flashblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct StorageSlot {
    /// Key, big-endian.
    pub key: B256,
    /// Value, big-endian; zero where the slot no longer exists.
    pub value: B256,
}

/// The outcome of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TransactionMetadata {
    /// 1 where it succeeded, 0 where it failed.
    pub status: u8,
    /// Gas it used, by itself.
    pub gas_used: u64,
    /// The contract that the transaction itself created; absent where it created none or failed.
    pub contract_address: Optional<Address>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
