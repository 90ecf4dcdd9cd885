//! Real blocks of OP Mainnet and OP Sepolia. The folder comes from `BLOCKWRIGHT_BLOCKS`; see
//! [`folder`] for what happens where it is not set.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod folder;
mod mainnet;
mod reader;
mod sepolia;
