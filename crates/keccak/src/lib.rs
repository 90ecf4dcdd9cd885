#![doc = include_str!("../README.md")]

mod batch;
pub use batch::{keccak256_all, keccak256_each};
