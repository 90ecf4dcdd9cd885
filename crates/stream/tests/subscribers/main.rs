//! The stream as its subscribers see it: real WebSocket clients on loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod delivery;
mod fixture;
mod peers;
