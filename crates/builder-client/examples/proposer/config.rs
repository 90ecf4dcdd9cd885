//! The configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::Failure;

/// All that there is to set, as JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where op-node finds its execution client from now on.
    pub(crate) listen: SocketAddr,
    /// URL of the execution client's Engine API.
    pub(crate) engine: String,
    /// Where the builder finds the payload attributes.
    pub(crate) events: SocketAddr,
    /// The chain's genesis, as the execution client has it: chain id and forks.
    pub(crate) genesis: PathBuf,
    /// `http[s]://ADDRESS@host:port`: only that builder's signature counts.
    pub(crate) builder: String,
    /// File with the key that signs requests, mode 0600; without one the builder must answer everybody.
    pub(crate) key: Option<PathBuf>,
    /// How long op-node may wait for the builder's sake.
    pub(crate) timeout_ms: u64,
}

impl Config {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let config = serde_json::from_slice(&text);
        Ok(config.map_err(|error| format!("{}: {error}", path.display()))?)
    }

    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}
