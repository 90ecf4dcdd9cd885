#![doc = include_str!("../README.md")]

mod priority;
pub use priority::{Priority, spawn};
