//! Random transactions.

use alloy_primitives::{Address, Bytes, U256};
use blockwright_types::SharedTx;
use op_alloy_consensus::TxDeposit;
use op_revm::constants::{BASE_FEE_RECIPIENT, L1_FEE_RECIPIENT, OPERATOR_FEE_RECIPIENT};
use proptest::prelude::*;

use crate::world::{
    COINBASE_WITNESS, Call, ETHER, FACTORY, FEE_RECIPIENT, LOGGER, PROBE, REVERTER, STORE, WITNESS,
    child, child_init_code, deposit, deposit_call, l1_attributes, mayfly_init_code,
    sacrifice_init_code, transfer, user, word, words,
};

/// The same cases in every run.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// One step of a script; `from` is the index of a user.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Transfer {
        from: u64,
        to: Target,
        value: u64,
    },
    Store {
        from: u64,
        slot: u64,
        value: u64,
    },
    Probe {
        from: u64,
        at: Target,
        slot: u64,
    },
    Log {
        from: u64,
    },
    Revert {
        from: u64,
    },
    Deploy {
        from: u64,
        salt: u64,
        value: u64,
    },
    Mayfly {
        from: u64,
        salt: u64,
    },
    ChildStore {
        from: u64,
        salt: u64,
        slot: u64,
        value: u64,
    },
    Destroy {
        from: u64,
        salt: u64,
    },
    Mint {
        to: u64,
        amount: u64,
        fails: bool,
    },
    /// A contract stores somebody's balance.
    Witness {
        from: u64,
        of: Target,
        slot: u64,
    },
    /// A contract stores the balance of the block's fee recipient; a tip of zero earns it nothing.
    CoinbaseWitness {
        from: u64,
        slot: u64,
        tip: u64,
    },
    /// An account is created and destroyed; its ether goes to `heir`.
    Sacrifice {
        from: u64,
        heir: Target,
        value: u64,
    },
    /// A deposit whose sender is a fee vault; with too much value it fails.
    Spend {
        vault: u8,
        to: Target,
        value: u64,
    },
    /// The L1 attributes change.
    Attributes {
        l1_base_fee: u64,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    User(u64),
    Fresh(u8),
    Child(u64),
    Vault(u8),
}

fn vault(index: u8) -> Address {
    [
        FEE_RECIPIENT,
        L1_FEE_RECIPIENT,
        BASE_FEE_RECIPIENT,
        OPERATOR_FEE_RECIPIENT,
    ][usize::from(index)]
}

impl Target {
    pub(crate) fn address(&self) -> Address {
        match *self {
            Self::User(index) => user(index),
            Self::Fresh(byte) => Address::repeat_byte(0x40 + byte),
            Self::Child(salt) => child(salt),
            Self::Vault(index) => vault(index),
        }
    }
}

/// Fee vaults that take part, and other accounts that a fee recipient may be.
pub(crate) fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (0..6u64).prop_map(Target::User),
        (0..4u8).prop_map(Target::Fresh),
        (0..3u64).prop_map(Target::Child),
        (0..4u8).prop_map(Target::Vault),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let from = 0..4u64;
    prop_oneof![
        (from.clone(), target(), 0..5u64).prop_map(|(from, to, value)| Step::Transfer {
            from,
            to,
            value
        }),
        (from.clone(), 0..4u64, 0..3u64).prop_map(|(from, slot, value)| Step::Store {
            from,
            slot,
            value
        }),
        (from.clone(), target(), 0..4u64).prop_map(|(from, at, slot)| Step::Probe {
            from,
            at,
            slot
        }),
        from.clone().prop_map(|from| Step::Log { from }),
        from.clone().prop_map(|from| Step::Revert { from }),
        (from.clone(), 0..3u64, 0..2u64).prop_map(|(from, salt, value)| Step::Deploy {
            from,
            salt,
            value
        }),
        (from.clone(), 0..3u64).prop_map(|(from, salt)| Step::Mayfly { from, salt }),
        (from.clone(), 0..3u64, 0..3u64, 0..3u64).prop_map(|(from, salt, slot, value)| {
            Step::ChildStore {
                from,
                salt,
                slot,
                value,
            }
        }),
        (from.clone(), 0..3u64).prop_map(|(from, salt)| Step::Destroy { from, salt }),
        vault_step(from),
        (0..6u64, 0..9u64, any::<bool>()).prop_map(|(to, amount, fails)| Step::Mint {
            to,
            amount,
            fails
        }),
    ]
}

fn vault_step(from: std::ops::Range<u64>) -> impl Strategy<Value = Step> {
    prop_oneof![
        (from.clone(), target(), 0..4u64).prop_map(|(from, of, slot)| Step::Witness {
            from,
            of,
            slot
        }),
        (from.clone(), 0..4u64, 0..2u64).prop_map(|(from, slot, tip)| Step::CoinbaseWitness {
            from,
            slot,
            tip
        }),
        (from, target(), 0..3u64).prop_map(|(from, heir, value)| Step::Sacrifice {
            from,
            heir,
            value
        }),
        (0..4u8, target(), 0..3u64).prop_map(|(vault, to, value)| Step::Spend { vault, to, value }),
        (0..3u64).prop_map(|l1_base_fee| Step::Attributes { l1_base_fee }),
    ]
}

/// Turns steps into transactions with the right nonces.
#[derive(Default)]
pub(crate) struct Writer {
    nonces: [u64; 6],
}

impl Writer {
    pub(crate) fn nonce(&self, from: u64) -> u64 {
        self.nonces[from as usize]
    }

    fn next(&mut self, from: u64) -> u64 {
        let nonce = self.nonce(from);
        self.nonces[from as usize] += 1;
        nonce
    }

    fn call(&mut self, from: u64, to: Address, input: Bytes) -> Call {
        Call::new(user(from), self.next(from), to, input)
    }

    pub(crate) fn write(&mut self, step: &Step) -> SharedTx {
        match *step {
            Step::Transfer {
                from,
                ref to,
                value,
            } => transfer(user(from), self.next(from), to.address(), u128::from(value)),
            Step::Store { from, slot, value } => self
                .call(from, STORE, words(&[word(slot), word(value)]))
                .tx(),
            Step::Probe { from, ref at, slot } => {
                let input = words(&[at.address().into_word(), word(slot)]);
                self.call(from, PROBE, input).tx()
            }
            Step::Log { from } => self.call(from, LOGGER, word(from).into()).tx(),
            Step::Revert { from } => self.call(from, REVERTER, word(from).into()).tx(),
            Step::Deploy { from, salt, value } => {
                let input = [&word(salt)[..], &child_init_code()].concat();
                let call = self.call(from, FACTORY, input.into());
                Call {
                    value: u128::from(value),
                    ..call
                }
                .tx()
            }
            Step::Mayfly { from, salt } => {
                let input = [&word(salt)[..], &mayfly_init_code()].concat();
                self.call(from, FACTORY, input.into()).tx()
            }
            Step::ChildStore {
                from,
                salt,
                slot,
                value,
            } => self
                .call(from, child(salt), words(&[word(slot), word(value)]))
                .tx(),
            Step::Destroy { from, salt } => self.call(from, child(salt), Bytes::new()).tx(),
            Step::Mint { to, amount, fails } => self.mint(to, amount, fails),
            Step::Witness { from, ref of, slot } => {
                let input = words(&[of.address().into_word(), word(slot)]);
                self.call(from, WITNESS, input).tx()
            }
            Step::CoinbaseWitness { from, slot, tip } => Call {
                tip: u128::from(tip),
                ..self.call(from, COINBASE_WITNESS, word(slot).into())
            }
            .tx(),
            Step::Sacrifice {
                from,
                ref heir,
                value,
            } => {
                let input = [&word(0)[..], &sacrifice_init_code(heir.address())].concat();
                let call = self.call(from, FACTORY, input.into());
                Call {
                    value: u128::from(value),
                    ..call
                }
                .tx()
            }
            Step::Spend {
                vault: index,
                ref to,
                value,
            } => deposit(TxDeposit {
                value: U256::from(value),
                ..deposit_call(vault(index), to.address(), 0, Bytes::new())
            }),
            Step::Attributes { l1_base_fee } => {
                l1_attributes(1, U256::from(l1_base_fee) * U256::from(1_000_000_000u64))
            }
        }
    }

    fn mint(&mut self, to: u64, amount: u64, fails: bool) -> SharedTx {
        let target = if fails { REVERTER } else { STORE };
        let input = words(&[word(1), word(amount)]);
        let call = deposit_call(user(to), target, u128::from(amount), input);
        self.next(to);
        deposit(TxDeposit {
            // Sometimes more than there is: the deposit then fails before it runs.
            value: if amount == 8 {
                U256::from(ETHER) * U256::from(9)
            } else {
                U256::ZERO
            },
            ..call
        })
    }
}
