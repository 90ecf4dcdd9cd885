#![doc = include_str!("../README.md")]

mod assembler;

mod feed;
pub use feed::{Fallback, Pending, PendingFeed, pending};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod fixture;

mod layer;

mod metrics;
pub use metrics::{Withdrawal, describe as describe_metrics};

mod pending_block;
pub use pending_block::{Ground, Growth, PendingBlock};

mod sink;
pub use sink::{PendingSink, start_assembler};

mod state_view;
pub use state_view::StateView;

mod vigil;
