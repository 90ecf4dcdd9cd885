//! A development chain's genesis: made once, kept with the data.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::hex;
use blockwright_chain::ChainSpec;
use blockwright_chain::dev::DevGenesis;
use blockwright_outlets::OutletError;
use blockwright_signer::SecretText;
use blockwright_types::OpFork;

use crate::datadir::DataDir;
use crate::error::failed;
use crate::{DevConfig, LaunchError, Node, NodeConfig, dev_accounts};

/// Starts a development chain's node. Nothing builds until
/// [`run_dev_clock`](crate::run_dev_clock) drives it.
pub async fn start_dev(dev: &DevConfig, mut config: NodeConfig) -> Result<Node, LaunchError> {
    config.builder_api = config.builder_api.for_development(well_known_key());
    config.apis = config.apis.for_development();
    check_interval(dev, &config)?;
    let datadir = DataDir::open(config.datadir.as_deref())?;
    let path = datadir.genesis();
    let json = if path.exists() {
        std::fs::read(&path).map_err(|source| LaunchError::GenesisFile {
            path: path.clone(),
            source,
        })?
    } else {
        make_genesis(dev, &path)?
    };
    let chain = ChainSpec::from_genesis_json(&json)
        .map_err(|source| LaunchError::Genesis { path, source })?;
    same_chain(dev, &chain, datadir.path())?;
    Node::start(chain, datadir, config).await
}

/// The key of the last development account, so that a proposer's configuration, which names the
/// builder's address, holds from run to run.
fn well_known_key() -> SecretText {
    let accounts = dev_accounts();
    let key = accounts.last().map(|account| account.signer.to_bytes());
    SecretText::new(hex::encode(key.unwrap_or_default()))
}

fn check_interval(dev: &DevConfig, config: &NodeConfig) -> Result<(), LaunchError> {
    let block_time_us = dev.block_time_s.saturating_mul(1_000_000);
    let checked = config.builder.job()?.validate_for(block_time_us);
    Ok(checked.map_err(OutletError::from)?)
}

fn make_genesis(dev: &DevConfig, path: &Path) -> Result<Vec<u8>, LaunchError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let genesis = DevGenesis {
        chain_id: dev.chain_id,
        fork: dev.fork,
        timestamp: now.as_secs(),
        gas_limit: dev.gas_limit,
        ..DevGenesis::default()
    };
    const PART: &str = "development genesis";
    let value = genesis.build().map_err(|error| failed(PART, error))?;
    let json = serde_json::to_vec(&value).map_err(|error| failed(PART, error))?;
    std::fs::write(path, &json).map_err(|source| LaunchError::DataDir {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(json)
}

/// Refuses to go on with a chain other than the one asked for.
fn same_chain(dev: &DevConfig, chain: &ChainSpec, path: &Path) -> Result<(), LaunchError> {
    let header = chain.genesis_header();
    let differs = |name, found: String, asked: String| {
        if found == asked {
            return Ok(());
        }
        Err(LaunchError::DevMismatch {
            path: path.to_path_buf(),
            name,
            found,
            asked,
        })
    };
    let fork: OpFork = chain.fork_at(header.timestamp);
    differs(
        "chain id",
        chain.chain_id().to_string(),
        dev.chain_id.to_string(),
    )?;
    differs("fork", fork.to_string(), dev.fork.to_string())?;
    differs(
        "gas limit",
        header.gas_limit.to_string(),
        dev.gas_limit.to_string(),
    )
}
