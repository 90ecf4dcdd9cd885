//! Genesis JSON as op-geth and op-reth read it.

mod alloc;
mod config;
mod error;
mod fields;
mod header;

pub use error::GenesisError;

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_types::{Changes, OpFork};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{ChainSpec, OptimismParams};
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

/// The rules of a chain whose beginning another node keeps.
#[derive(Clone, Debug)]
pub struct ChainRules {
    /// EIP-155 chain id, not 0.
    pub chain_id: u64,
    /// Forks with the timestamps (seconds) of their activation, in any order; those that are left out are not
    /// scheduled.
    pub times: Vec<(OpFork, u64)>,
    /// EIP-1559 constants.
    pub optimism: OptimismParams,
    /// Header of block 0; its state is left out.
    pub genesis: Header,
    /// Its hash: the header of a chain that began before Bedrock may lack what it was made of.
    pub genesis_hash: B256,
}

impl ChainSpec {
    /// A chain by its rules. It may have begun before Bedrock; what is built by these rules comes after it.
    ///
    /// # Errors
    /// [`GenesisError`] where the chain id is 0, or forks are missing or out of order.
    pub fn from_rules(rules: ChainRules) -> Result<Self, GenesisError> {
        let time = |fork| {
            let mut times = rules.times.iter();
            times
                .find(|(known, _)| *known == fork)
                .map(|(_, time)| *time)
        };
        Ok(Self {
            chain_id: config::checked_chain_id("chain id".to_owned(), rules.chain_id)?,
            forks: config::schedule(time)?,
            optimism: rules.optimism,
            genesis_hash: rules.genesis_hash,
            genesis_header: rules.genesis,
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
