//! Servers and clients of the stream, over loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod client;
mod fixture;
mod server;
mod tls;
