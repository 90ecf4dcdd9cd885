//! Every form a flashblock can take, through the crate's public surface.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)]
#[path = "../v1/script.rs"]
mod v1;

mod contracts;
mod describe;
mod golden;
mod hostile;
mod json_dialects;
mod random;
mod spec_golden;
mod spec_rules;
