//! Transactions on their way to real JSON-RPC servers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod copies;
mod node;
mod waiting;
