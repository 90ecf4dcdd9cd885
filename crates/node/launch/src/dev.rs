//! The development chain: a genesis of its own and a clock in place of a consensus client.

mod accounts;
mod clock;
mod schedule;
mod start;

pub use accounts::{DEV_MNEMONIC, DevAccount, dev_accounts};
pub use clock::run_dev_clock;
pub use start::start_dev;
