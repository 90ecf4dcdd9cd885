//! The methods as a wallet sees them: real servers on loopback over a small chain in memory.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod blocks;
mod fixture;
mod forwarding;
mod limits;
mod overlay;
mod reading;
mod sending;
mod simulating;
mod sources;
mod subscribing;
mod waiting;
