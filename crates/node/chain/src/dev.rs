//! A development chain that needs no L1: its genesis and its L1 attributes deposits.

mod accounts;
mod genesis;
mod l1_info;

pub use accounts::{DEV_BALANCE, DEV_MNEMONIC, dev_accounts};
pub use alloy_genesis::GenesisAccount;
pub use genesis::{DEFAULT_CHAIN_ID, DEFAULT_GAS_LIMIT, DevGenesis};
pub use l1_info::{default_l1_attributes, l1_info_deposit};
