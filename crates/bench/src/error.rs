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
    /// The builder does not take the JWT secret.
    #[error("{url}: the JWT secret is refused: give the file of the builder's own secret")]
    Unauthorized {
        /// Where to.
        url: String,
    },
    /// A JWT secret cannot be read.
    #[error("JWT secret {path}: {cause}")]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// No token could be made of a secret.
    #[error("JWT: {0}")]
    Token(String),
    /// A call was answered by an error.
    #[error("{url}: {method}: {message} ({code})")]
    Rpc {
        /// Where to.
        url: String,
        /// The method.
        method: &'static str,
        /// The error's code.
        code: i64,
        /// The error's message.
        message: String,
    },
    /// An answer lacks what its method is defined to give.
    #[error("{url}: {method}: {what}")]
    Answer {
        /// Where to.
        url: String,
        /// The method.
        method: &'static str,
        /// What is missing.
        what: String,
    },
    /// A call was not answered.
    #[error("{url}: {method}: no answer in {seconds} s")]
    Timeout {
        /// Where to.
        url: String,
        /// The method.
        method: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A node is not on the chain of the plan.
    #[error("{url}: {what}")]
    Chain {
        /// The node.
        url: String,
        /// In what it differs.
        what: String,
    },
    /// The builder's process is not there.
    #[error("process {pid}: not there")]
    Process {
        /// Its id.
        pid: u32,
    },
    /// The flashblock stream cannot be listened to.
    #[error("flashblock stream {url}: {cause}")]
    Stream {
        /// Where to.
        url: String,
        /// What happened.
        cause: String,
    },
    /// More was recorded than fits in memory.
    #[error("the run brings more than {bytes_max} bytes of {what}: measure fewer blocks")]
    RecordTooLarge {
        /// Of what.
        what: &'static str,
        /// The limit, in bytes.
        bytes_max: u64,
    },
    /// The builder starts no payload.
    #[error("block {number}: the fork choice starts no payload: {status}")]
    NoPayload {
        /// Number of the block that was to be built.
        number: u64,
        /// What it says of the head.
        status: String,
    },
    /// The builder does not import the block it has just built.
    #[error("block {number}: the builder says of its own block: {status}")]
    OwnBlock {
        /// Number of the block.
        number: u64,
        /// What it says.
        status: String,
    },
    /// Sending the load failed.
    #[error("load: {0}")]
    Feed(String),
    /// A builder could not be started.
    #[error("builder: {what}")]
    Start {
        /// What happened.
        what: String,
    },
    /// A document has no place for a table.
    #[error("marker {marker}: not in the document, or not in its place")]
    Marker {
        /// The marker's text.
        marker: String,
    },
}
