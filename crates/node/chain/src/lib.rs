#![doc = include_str!("../README.md")]

mod attributes;
pub use attributes::AttributesError;

mod base_fee;
pub use base_fee::BaseFeeError;

mod body;
pub use body::{BodyError, transactions_root};

mod data;
pub use data::DataError;

pub mod dev;

mod extra_data;
pub use extra_data::{ExtraDataError, FeeParams, decode_extra_data, encode_extra_data};

mod genesis;
pub use genesis::{ChainRules, GenesisError};

mod header;
pub use header::HeaderError;

mod l1_attributes;
pub use l1_attributes::{
    DEFAULT_DA_FOOTPRINT_GAS_SCALAR, L1_ATTRIBUTES_DEPOSITOR, L1Attributes, L1AttributesError,
    L1AttributesFormat,
};

mod schedule;
pub use schedule::ForkSchedule;

mod spec;
pub use spec::{ChainSpec, OptimismParams};

mod upgrade;
pub use upgrade::{upgrade_deposits, upgrade_gas};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
