//! Genesis JSON as op-geth and op-reth read it.

mod alloc;
mod config;
mod error;
mod fields;
mod header;

pub use error::GenesisError;

use serde_json::Value;

use crate::ChainSpec;
use fields::Fields;

impl ChainSpec {
    /// Reads a genesis document: `config` (with `config.optimism` and the fork times), the header
    /// fields of block 0 and `alloc`. Numbers may be JSON numbers, decimal or `0x` strings.
    ///
    /// The chain must begin with Bedrock (`config.bedrockBlock` 0). Forks this version does not
    /// know are refused rather than missed later. Keys without a meaning here are ignored.
    pub fn from_genesis_json(json: &[u8]) -> Result<Self, GenesisError> {
        let document: Value = serde_json::from_slice(json).map_err(GenesisError::Json)?;
        let document = Fields::root(&document)?;
        let config = config::read(&document.object("config")?)?;
        let changes = alloc::read(&document.object("alloc")?)?;
        let header = header::build(&document, &config, &changes)?;
        Ok(Self {
            chain_id: config.chain_id,
            forks: config.forks,
            optimism: config.optimism,
            genesis_hash: header.hash_slow(),
            genesis_header: header,
            genesis_changes: changes,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
