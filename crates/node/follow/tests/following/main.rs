//! A followed stream: what comes of it, and what a bad one can do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod author;
mod blocks_ahead;
mod chaos;
mod hostile;
mod node;
mod replicas;
