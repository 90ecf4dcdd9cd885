//! What is signed, by proposers and by builders alike.

use alloy_primitives::{B256, Keccak256, U256, keccak256};
use alloy_rlp::Encodable;

/// Keeps these signatures apart from others of the same keys.
const DOMAIN: B256 = B256::with_last_byte(1);

/// The digest of `message` on the chain with this id: `keccak256(domain ‖ chain id ‖ keccak256(rlp))`, each
/// of them 32 bytes, and no prefix.
pub fn signing_digest(chain_id: u64, message: &impl Encodable) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(DOMAIN);
    hasher.update(U256::from(chain_id).to_be_bytes::<32>());
    hasher.update(keccak256(alloy_rlp::encode(message)));
    hasher.finalize()
}
