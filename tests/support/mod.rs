//! What the whole-system tests share: the binary as a process, JSON-RPC, the stream, transactions.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, missing_docs)]

pub mod bls;
pub mod chain;
pub mod dev_clock;
pub mod feeder;
pub mod host;
pub mod liar;
pub mod lies;
pub mod metrics;
pub mod process;
pub mod proxy;
pub mod relay;
pub mod rpc;
pub mod sequencer;
pub mod stream;
pub mod tools;
pub mod tx;
