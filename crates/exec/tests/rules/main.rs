//! Consensus rules of execution, on small states made for them.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod calls;
mod conflicts;
mod delegation;
mod deposits;
mod differential;
mod faults;
mod fees;
mod footprint;
mod headers;
mod journal;
mod karst;
mod reference;
mod script;
mod simulation;
mod world;
