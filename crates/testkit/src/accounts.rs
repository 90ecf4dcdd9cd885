//! The fakes' state.

use std::collections::BTreeMap;

use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use blockwright_types::{AccountChange, AccountPost, Changes};

use crate::address;

/// Balances and nonces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(BTreeMap<Address, (U256, u64)>);

impl Accounts {
    /// Accounts `0..count` of [`address`] with 10^24 wei each.
    pub fn funded(count: u64) -> Self {
        let balance = U256::from(10).pow(U256::from(24));
        Self((0..count).map(|n| (address(n), (balance, 0))).collect())
    }

    /// Balance and nonce; zero for unknown accounts.
    pub fn get(&self, address: Address) -> (U256, u64) {
        self.0.get(&address).copied().unwrap_or_default()
    }

    /// Sets balance and nonce.
    pub fn set(&mut self, address: Address, balance: U256, nonce: u64) {
        self.0.insert(address, (balance, nonce));
    }

    /// All accounts in order of address.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &(U256, u64))> {
        self.0.iter()
    }

    /// Lays post-values over the accounts.
    pub fn apply(&mut self, changes: &Changes) {
        for (address, change) in &changes.accounts {
            match change.post {
                Some(post) => self.set(*address, post.balance, post.nonce),
                None => {
                    self.0.remove(address);
                }
            }
        }
    }

    /// The post-values of some accounts.
    pub fn changes(&self, touched: impl IntoIterator<Item = Address>) -> Changes {
        let accounts = touched.into_iter().map(|address| {
            let (balance, nonce) = self.get(address);
            let change = AccountChange {
                post: Some(AccountPost {
                    balance,
                    nonce,
                    code_hash: KECCAK256_EMPTY,
                }),
                storage_wiped: false,
                storage: Default::default(),
            };
            (address, change)
        });
        Changes {
            accounts: accounts.collect(),
            code: Default::default(),
        }
    }
}
