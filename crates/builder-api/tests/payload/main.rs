//! Payloads over HTTP: a listener with clients of every kind.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod fixture;
mod prompt;
mod slow;
