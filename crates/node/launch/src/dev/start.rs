//! A development chain's genesis: made once, kept with the data.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use blockwright_chain::ChainSpec;
use blockwright_chain::dev::DevGenesis;
use blockwright_types::OpFork;

use crate::datadir::DataDir;
use crate::node::{builder_flag, job_config};
use crate::{DevConfig, LaunchError, Node, NodeConfig};

/// Starts a development chain's node. Nothing builds until
/// [`run_dev_clock`](crate::run_dev_clock) drives it.
pub async fn start_dev(dev: &DevConfig, mut config: NodeConfig) -> Result<Node, LaunchError> {
    config.builder_api = config.builder_api.for_development();
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

fn check_interval(dev: &DevConfig, config: &NodeConfig) -> Result<(), LaunchError> {
    job_config(&config.builder)?
        .validate_for(dev.block_time_s.saturating_mul(1_000_000))
        .map_err(|error| builder_flag(&error))
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
    let failed = |source: Box<dyn core::error::Error + Send + Sync>| LaunchError::Start {
        part: "development genesis",
        source,
    };
    let value = genesis.build().map_err(|error| failed(Box::new(error)))?;
    let json = serde_json::to_vec(&value).map_err(|error| failed(Box::new(error)))?;
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
