#![doc = include_str!("../README.md")]

mod admission;

mod candidates;
pub use candidates::PoolCandidates;

mod config;
pub use config::PoolConfig;

mod error;
pub use error::PoolError;

mod event;
pub use event::DropReason;

mod gas;
pub use gas::{floor_gas, intrinsic_gas};

mod gate;

mod head;

mod insertion;

mod intake;

mod jobs;

mod metrics;

mod pool;
pub use pool::{Pool, PoolStatus, SenderContent};

mod price_index;

mod recovery;

mod sender;

mod submission;

mod table;

mod taken;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;

mod validate;

mod view;
pub use view::{AccountCode, AccountFacts, AccountView, HeadView, RollupFeeView, ViewError};
