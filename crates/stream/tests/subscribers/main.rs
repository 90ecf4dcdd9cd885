//! The stream as its subscribers see it: real WebSocket clients on loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod delivery;
mod encodings;
mod fixture;
mod forms;
mod hostile;
mod keys;
mod notices;
mod peers;
mod relay;
mod resume;
mod signatures;
mod tls;
