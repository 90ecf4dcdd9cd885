//! Payloads over HTTP: the recorded vectors, and a listener with clients of every kind.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod fixture;
mod slow;
mod vectors;
