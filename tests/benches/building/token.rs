//! The smallest ERC-20 token: a mapping of balances and `transfer` with its event.

use alloy_primitives::{Address, B256, Bytes, U256, address, hex, keccak256};

/// Where it lives.
pub const TOKEN: Address = address!("00000000000000000000000000000000000070ce");

/// `mapping(address => uint256) balances` at slot 0; `transfer(address,uint256)` moves, logs
/// `Transfer` and returns true; everything else, and more than there is, reverts.
const CODE: &[u8] = &hex!(
    "5f3560e01c63a9059cbb14601357 5f5ffd 0000 5b" // selector
    "335f5260405f20 8054 602435" // amount, balance and slot of the sender
    "818111606d57" // enough?
    "809103909155" // take
    "600435805f5260405f20 8054830190 55" // give
    "905f52337fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60205fa3" // log
    "60015f5260205ff3"
    "5b5f5ffd"
);

/// The code.
pub const fn code() -> Bytes {
    Bytes::from_static(CODE)
}

/// Storage slot of a holder's balance.
pub fn slot(holder: Address) -> B256 {
    let mut preimage = [0; 64];
    preimage[12..32].copy_from_slice(holder.as_slice());
    keccak256(preimage)
}

/// Call data of `transfer`.
pub fn transfer(to: Address, amount: U256) -> Bytes {
    let mut data = hex!("a9059cbb").to_vec();
    data.extend([0; 12]);
    data.extend(to);
    data.extend(amount.to_be_bytes::<32>());
    data.into()
}
