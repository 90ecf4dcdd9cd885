//! Genesis JSON as op-geth and op-reth read it.

mod alloc;
mod config;
mod error;
mod fields;
mod header;

pub use error::GenesisError;

use std::collections::BTreeMap;

use alloy_consensus::Header;
use blockwright_types::Changes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::ChainSpec;
use fields::Fields;

impl ChainSpec {
    /// Reads a genesis document: `config` (with `config.optimism` and the fork times), the header
    /// fields of block 0 and `alloc`. Numbers may be JSON numbers, decimal or `0x` strings.
    ///
    /// The chain must begin with Bedrock (`config.bedrockBlock` 0). Forks this version does not
    /// know are refused rather than missed later. Keys without a meaning here are ignored.
    pub fn from_genesis_json(json: &[u8]) -> Result<Self, GenesisError> {
        let mut sections = sections(json)?;
        let alloc = sections.remove("alloc").filter(|raw| raw.get() != "null");
        let document = sections
            .into_iter()
            .map(|(name, raw)| Ok((name, serde_json::from_str(raw.get())?)))
            .collect::<serde_json::Result<Map<String, Value>>>()
            .map_err(GenesisError::Json)?;
        let document = Fields::root(&document);
        let config = config::read(&document.object("config")?)?;
        let changes = alloc::read(alloc.ok_or_else(|| document.missing("alloc"))?)?;
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

impl ChainSpec {
    /// The rules of a chain whose beginning another node keeps: `config` is the section of that name of its genesis
    /// document, `genesis` the header of block 0, whose state is left out. The chain may have begun before Bedrock;
    /// what is built by these rules comes after it.
    ///
    /// # Errors
    /// As [`Self::from_genesis_json`] has of the section.
    pub fn from_config_json(config: &[u8], genesis: Header) -> Result<Self, GenesisError> {
        let section: Map<String, Value> =
            serde_json::from_slice(config).map_err(GenesisError::Json)?;
        let section = Value::Object(section);
        let config = config::read_times(&Fields::at("config".to_owned(), &section)?)?;
        Ok(Self {
            chain_id: config.chain_id,
            forks: config.forks,
            optimism: config.optimism,
            genesis_hash: genesis.hash_slow(),
            genesis_header: genesis,
            genesis_changes: Changes::default(),
        })
    }
}

/// The fields of the document, not read any further: one of them can be hundreds of megabytes.
fn sections(json: &[u8]) -> Result<BTreeMap<String, &RawValue>, GenesisError> {
    match serde_json::from_slice(json) {
        Err(error) if error.is_data() => Err(GenesisError::Type {
            field: "the document".to_owned(),
            expected: "an object",
        }),
        read => read.map_err(GenesisError::Json),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
