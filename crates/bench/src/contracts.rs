//! The contracts that the load calls: code, storage, call data and gas.
//!
//! Assembled by hand, so that the genesis needs no compiler, and without `PUSH0`, so that they run
//! under every fork.

use alloy_primitives::{Address, B256, Bytes, U256, address, hex, keccak256};

/// Where the token lives.
pub const TOKEN: Address = address!("b10c000000000000000000000000000000000020");

/// Where the contract lives that writes ten slots.
pub const RECORDS: Address = address!("b10c000000000000000000000000000000000055");

/// Where the contract lives that computes.
pub const COMPUTE: Address = address!("b10c0000000000000000000000000000000000c0");

/// Gas of every transaction, and of a zero and another byte of its call data (EIP-2028).
const BASE_GAS: u64 = 21_000;
const ZERO_BYTE_GAS: u64 = 4;
const BYTE_GAS: u64 = 16;

/// What the calls use beyond [`intrinsic_gas`], as executed: nothing in them depends on a fork from
/// Berlin on, nor on what is stored, as long as sender and receiver hold tokens and slots are fresh.
const TRANSFER_GAS: u64 = 12_164;
const RECORD_GAS: u64 = 221_448;
const COMPUTE_GAS: u64 = 978_486;

/// An ERC-20 token as compilers lay it out: free memory pointer, checks of value, arguments,
/// receiver and balance, `mapping(address => uint256) balances` at slot 0, the `Transfer` event.
/// Knows `transfer(address,uint256)` and `balanceOf(address)`; reverts on all else.
const TOKEN_CODE: &[u8] = &hex!(
    "6080604052" // free memory from 0x80
    "34602a57" // not payable
    "60043610602a57" // no selector
    "60003560e01c" // the selector
    "806370a0823114602f57" // balanceOf(address)
    "8063a9059cbb14605357" // transfer(address,uint256)
    "5b600080fd" // neither, or a failed check
    "5b5060243610602a57" // balanceOf: the argument is there
    "6004356000526000602052604060002054" // balances[account]
    "604051908152602090f3" // is the answer
    "5b5060443610602a57" // transfer: the arguments are there
    "6004358060a01c602a57" // the receiver has 20 bytes
    "8015602a57" // and is not zero
    "602435" // amount
    "3360005260006020526040600020" // slot of balances[sender]
    "8054828110602a57" // which suffices
    "8290039055" // is reduced
    "816000526040600020" // slot of balances[receiver]
    "805482019055" // is raised; no overflow, the supply has less than 256 bits
    "604051908152" // amount, the event's data
    "90337fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" // Transfer
    "602084a3" // (sender, receiver)
    "60018152602090f3" // true
);

/// `mapping(bytes32 => address[10]) records` at slot 0: fills the record that the call data name
/// with the sender's address.
const RECORDS_CODE: &[u8] = &hex!(
    "60003560005260006020526040600020" // slot of records[key]
    "600a" // ten words
    "5b60019003" // from the last to the first
    "3381830155" // become the sender
    "8060125700"
);

/// 16,870 rounds of multiply, add, shift and xor on the word in the call data, which it returns.
const COMPUTE_CODE: &[u8] = &hex!(
    "600035" // x
    "6141e6" // rounds
    "5b90675851f42d4c957f2d026714057b7ef767814f01" // x = x * a + c
    "80601d1c18" // x ^= x >> 29
    "9060019003" // a round less
    "80600657"
    "5060005260206000f3"
);

/// The contracts with their code.
pub const fn contracts() -> [(Address, &'static [u8]); 3] {
    [
        (TOKEN, TOKEN_CODE),
        (RECORDS, RECORDS_CODE),
        (COMPUTE, COMPUTE_CODE),
    ]
}

/// Storage slot of the token in which the balance of `holder` stands.
pub fn balance_slot(holder: Address) -> B256 {
    let mut preimage = [0; 64];
    preimage[12..32].copy_from_slice(holder.as_slice());
    keccak256(preimage)
}

/// The call that a transaction makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Receiver of the transaction.
    pub to: Address,
    /// In wei.
    pub value: U256,
    /// Call data.
    pub input: Bytes,
    /// Exactly what it uses, so that a block's gas limit bounds what it executes and a builder that
    /// reserves by limit is not at a disadvantage.
    pub gas_limit: u64,
}

impl Call {
    /// 1 wei to an account without code.
    pub const fn ether(to: Address) -> Self {
        Self {
            to,
            value: U256::ONE,
            input: Bytes::new(),
            gas_limit: BASE_GAS,
        }
    }

    /// One token to `receiver`, who holds tokens and is not the sender (a transfer to oneself uses
    /// less gas than its limit).
    pub fn token(receiver: Address) -> Self {
        let mut input = Vec::with_capacity(68);
        input.extend(hex!("a9059cbb"));
        input.extend(receiver.into_word());
        input.extend(B256::with_last_byte(1));
        Self::contract(TOKEN, input, TRANSFER_GAS)
    }

    /// Ten slots, untouched as long as no other call has the same `key`.
    pub fn record(key: B256) -> Self {
        Self::contract(RECORDS, key.to_vec(), RECORD_GAS)
    }

    /// About 1 Mgas of arithmetic on `word`.
    pub fn compute(word: B256) -> Self {
        Self::contract(COMPUTE, word.to_vec(), COMPUTE_GAS)
    }

    fn contract(to: Address, input: Vec<u8>, execution_gas: u64) -> Self {
        Self {
            to,
            value: U256::ZERO,
            gas_limit: intrinsic_gas(&input) + execution_gas,
            input: input.into(),
        }
    }
}

/// Gas of a transaction before its execution. Always above EIP-7623's floor here.
fn intrinsic_gas(input: &[u8]) -> u64 {
    let bytes = input.iter().map(|byte| match byte {
        0 => ZERO_BYTE_GAS,
        _ => BYTE_GAS,
    });
    BASE_GAS + bytes.sum::<u64>()
}
