//! What is really listening, for scripts.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::LaunchError;

/// Addresses of a running node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoints {
    /// JSON-RPC over HTTP.
    pub http: String,
    /// JSON-RPC over WebSocket.
    pub ws: String,
    /// Engine API.
    pub authrpc: String,
    /// Flashblock stream.
    pub flashblocks: String,
    /// Prometheus metrics.
    pub metrics: String,
    /// Builder API, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder_api: Option<String>,
    /// Stream of payload attributes, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder_events: Option<String>,
    /// Path of the JWT secret file.
    pub jwt: PathBuf,
}

/// The bound addresses an [`Endpoints`] is made of.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// HTTP server.
    pub http: SocketAddr,
    /// WebSocket server.
    pub ws: SocketAddr,
    /// Engine API server.
    pub authrpc: SocketAddr,
    /// Flashblock server.
    pub flashblocks: SocketAddr,
    /// Whether it speaks TLS.
    pub flashblocks_tls: bool,
    /// Metrics server.
    pub metrics: SocketAddr,
    /// Builder API, where there is one.
    pub builder_api: Option<SocketAddr>,
    /// Whether it speaks TLS, as the stream of payload attributes does then.
    pub builder_api_tls: bool,
    /// Stream of payload attributes, where there is one.
    pub builder_events: Option<SocketAddr>,
}

impl Endpoints {
    /// URLs of the bound addresses.
    pub fn new(bound: &Bound, jwt: PathBuf) -> Self {
        let stream = if bound.flashblocks_tls { "wss" } else { "ws" };
        let http = if bound.builder_api_tls {
            "https"
        } else {
            "http"
        };
        Self {
            http: format!("http://{}", bound.http),
            ws: format!("ws://{}", bound.ws),
            authrpc: format!("http://{}", bound.authrpc),
            flashblocks: format!("{stream}://{}", bound.flashblocks),
            metrics: format!("http://{}/metrics", bound.metrics),
            builder_api: bound.builder_api.map(|addr| format!("{http}://{addr}")),
            builder_events: bound.builder_events.map(|addr| format!("{http}://{addr}")),
            jwt,
        }
    }

    /// Writes the JSON object beside `path` and renames it, so that a reader never sees half of it.
    pub fn write(&self, path: &Path) -> Result<(), LaunchError> {
        write(self, path)
    }
}

/// Writes what listens as JSON.
pub(crate) fn write(endpoints: &impl Serialize, path: &Path) -> Result<(), LaunchError> {
    let failed = |source| LaunchError::Endpoints {
        path: path.to_path_buf(),
        source,
    };
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file =
        tempfile::NamedTempFile::new_in(parent.unwrap_or(Path::new("."))).map_err(failed)?;
    let json = serde_json::to_string_pretty(endpoints).map_err(|error| failed(error.into()))?;
    file.write_all(json.as_bytes()).map_err(failed)?;
    file.write_all(b"\n").map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
