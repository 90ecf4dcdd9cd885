//! Everything that can go wrong with a measurement.

use std::io;
use std::path::PathBuf;

use blockwright_chain::DataError;

use crate::PlanError;

/// Why a run could not be prepared, made or read.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The plan is out of range.
    #[error("plan: {0}")]
    Plan(#[from] PlanError),
    /// The chain's predeploys cannot be read.
    #[error("genesis: {0}")]
    Predeploys(#[from] DataError),
    /// The genesis document cannot be written.
    #[error("genesis: {path}: {cause}")]
    GenesisWrite {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The genesis document has an unexpected form.
    #[error("genesis: {0}")]
    GenesisForm(String),
    /// The pre-signed load would not fit in memory.
    #[error("load: {transactions} transactions take {bytes} bytes, at most {bytes_max}")]
    LoadTooLarge {
        /// Transactions of the load.
        transactions: u64,
        /// Memory they need, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        bytes_max: u64,
    },
    /// An address of the builder cannot be used.
    #[error("{url}: {cause}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No connection to the builder.
    #[error("{url}: no connection: {cause}")]
    Connect {
        /// Where to.
        url: String,
        /// What the system says.
        cause: io::Error,
    },
    /// HTTP does not work with the builder.
    #[error("{url}: HTTP: {cause}")]
    Http {
        /// Where to.
        url: String,
        /// What happened.
        cause: hyper::Error,
    },
}
