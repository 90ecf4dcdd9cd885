//! A development chain whose accounts do what scripts tell them.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use blockwright_chain::dev::{DevGenesis, GenesisAccount};
use blockwright_chain::{ChainSpec, DEFAULT_DA_FOOTPRINT_GAS_SCALAR};
use blockwright_testkit::{BLOCK_START_S, address};
use blockwright_types::{L2_TO_L1_MESSAGE_PASSER, OpFork};

/// Blocks of a chain have senders of their own, so that all nonces begin at zero.
pub const GENERATIONS: u64 = 8;
/// Senders of one generation, at least as many as scripts use.
pub const SENDERS: u64 = 32;
/// Where scripted transactions go, from this account number on.
const RECEIVERS: u64 = 1_000_000;

/// The account that sends for `sender` in a block of `generation`.
pub const fn sender(generation: u64, sender: u64) -> Address {
    address(generation * SENDERS + sender)
}

/// DA footprint gas scalar in force; zero before Jovian.
pub fn da_footprint_scalar(fork: OpFork) -> u64 {
    if fork >= OpFork::Jovian {
        u64::from(DEFAULT_DA_FOOTPRINT_GAS_SCALAR)
    } else {
        0
    }
}

/// A chain that runs one fork from its genesis at [`BLOCK_START_S`] on.
pub struct Chain {
    pub fork: OpFork,
    pub spec: ChainSpec,
}

impl Chain {
    pub fn new(fork: OpFork) -> Self {
        let spec = ChainSpec::from_genesis_json(&genesis(fork)).unwrap();
        Self { fork, spec }
    }
}

/// Its genesis document.
pub fn genesis(fork: OpFork) -> Vec<u8> {
    let genesis = DevGenesis {
        fork,
        timestamp: BLOCK_START_S,
        alloc: alloc(),
        ..DevGenesis::default()
    };
    serde_json::to_vec(&genesis.build().unwrap()).unwrap()
}

fn alloc() -> BTreeMap<Address, GenesisAccount> {
    let funded = GenesisAccount::default().with_balance(U256::from(10).pow(U256::from(24)));
    let machine = GenesisAccount::default()
        .with_nonce(Some(1))
        .with_code(Some(receiver_code().into()));
    let senders = (0..GENERATIONS * SENDERS).map(|n| (address(n), funded.clone()));
    let receivers = (0..SENDERS).map(|n| (address(RECEIVERS + n), machine.clone()));
    senders.chain(receivers).collect()
}

/// Code that does what a `Program` says, by its first byte: nothing counts up a slot and logs, 1
/// reverts, 2 withdraws a wei through the message passer and burns the gas given in the next eight
/// bytes, anything else writes the second word of the call data to the slot named by the first.
fn receiver_code() -> Vec<u8> {
    const COUNT: u8 = 0x1f;
    const REVERT: u8 = 0x2b;
    const BURN: u8 = 0x2f;
    let mut code = vec![
        0x36, 0x15, 0x60, COUNT, 0x57, // no call data?
        0x5f, 0x35, 0x80, 0x60, 0xf8, 0x1c, // first word, first byte
        0x80, 0x60, 0x01, 0x14, 0x60, REVERT, 0x57, // 1?
        0x60, 0x02, 0x14, 0x60, BURN, 0x57, // 2?
        0x60, 0x20, 0x35, 0x90, 0x55, 0x00, 0x00, // store
    ];
    assert_eq!(code.len(), usize::from(COUNT));
    code.extend([
        0x5b, 0x5f, 0x54, 0x60, 0x01, 0x01, 0x5f, 0x55, // one more
        0x33, 0x5f, 0x5f, 0xa1, // LOG1 with the caller
    ]);
    assert_eq!(code.len(), usize::from(REVERT));
    code.extend([0x5b, 0x5f, 0x5f, 0xfd]);
    assert_eq!(code.len(), usize::from(BURN));
    // The gas left when it may stop: what is left now minus the argument, at least zero.
    code.extend([0x5b, 0x60, 0xb8, 0x1c, 0x67]);
    code.extend([0xff; 8]);
    code.extend([0x16, 0x5a, 0x03]);
    code.extend([0x5f, 0x5f, 0x5f, 0x5f, 0x60, 0x01, 0x73]);
    code.extend(L2_TO_L1_MESSAGE_PASSER);
    code.extend([0x62, 0x01, 0x86, 0xa0, 0xf1, 0x50]); // 100,000 gas
    let burning = code.len() as u8;
    // Looks at cold accounts, which is a lot of gas for little time.
    code.extend([
        0x5b, 0x5a, 0x31, 0x50, 0x80, 0x5a, 0x11, 0x60, burning, 0x57,
    ]);
    code.push(0x00);
    code
}
