//! What each transaction does and to whom, as a pure function of seed and number.

use alloy_primitives::{Address, B256, keccak256};

use crate::contracts::Call;
use crate::{ChainPlan, Load};

/// Chooses the calls.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    seed: u64,
    load: Load,
    senders: Vec<Address>,
    accounts: u64,
}

impl Draw {
    pub(crate) const fn new(chain: &ChainPlan, load: Load, senders: Vec<Address>) -> Self {
        Self {
            seed: chain.seed,
            load,
            senders,
            accounts: chain.accounts as u64,
        }
    }

    /// The call of transaction `index` of the load, which the sender at position `sender` makes.
    pub(crate) fn call(&self, index: u64, sender: usize) -> Call {
        let mut random = SplitMix::new(self.seed, index);
        let load = match self.load {
            Load::Mixed => mixed(random.below(100)),
            one => one,
        };
        match load {
            Load::Erc20 => Call::token(self.receiver(&mut random, sender)),
            Load::FreshReceivers => Call::ether(address_of(self.seed, b"fresh", index)),
            Load::NewSlots => Call::record(derive(self.seed, b"record", index)),
            Load::Compute => Call::compute(derive(self.seed, b"word", index)),
            Load::Transfers | Load::Mixed => Call::ether(self.receiver(&mut random, sender)),
        }
    }

    /// One of the extra accounts, or where there are none another sender.
    fn receiver(&self, random: &mut SplitMix, sender: usize) -> Address {
        if self.accounts > 0 {
            return account(self.seed, random.below(self.accounts));
        }
        let others = (self.senders.len() as u64).saturating_sub(1);
        let ahead = match others {
            0 => 0,
            others => 1 + random.below(others),
        };
        let at = (sender as u64 + ahead) % self.senders.len() as u64;
        self.senders[at as usize]
    }
}

const fn mixed(percent: u64) -> Load {
    match percent {
        0..60 => Load::Transfers,
        60..90 => Load::Erc20,
        90..95 => Load::FreshReceivers,
        95..99 => Load::NewSlots,
        _ => Load::Compute,
    }
}

/// Extra account `index` of the chain. Nobody has its key.
pub(crate) fn account(seed: u64, index: u64) -> Address {
    address_of(seed, b"account", index)
}

fn address_of(seed: u64, kind: &[u8], index: u64) -> Address {
    Address::from_word(derive(seed, kind, index))
}

/// 32 bytes that nothing else has.
pub(crate) fn derive(seed: u64, kind: &[u8], index: u64) -> B256 {
    let parts = [&seed.to_be_bytes(), kind, &index.to_be_bytes()];
    keccak256(parts.concat())
}

/// Sebastiano Vigna's SplitMix64: choices do not change with a library's version.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix(u64);

impl SplitMix {
    /// The sequence number `stream` of `seed`.
    pub(crate) const fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Self(seed);
        Self(mixed.next() ^ stream.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        ((self.next() as u128 * bound as u128) >> 64) as u64
    }

    /// A number of [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
