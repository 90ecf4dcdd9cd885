//! What a node tells the world without being asked by JSON-RPC: the stream, metrics and health.

use std::net::SocketAddr;

use blockwright_outlets::{ServerRuntime, ended};
use blockwright_stream::Publisher;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::overlay::Preconfirmed;
use crate::{LaunchError, NodeConfig, metrics_server};

/// Servers that listen and serve.
pub(crate) struct Outlets {
    /// The stream lives on it.
    pub(crate) streaming: ServerRuntime,
    /// The builder's end of the stream.
    pub(crate) publisher: Publisher,
    pub(crate) flashblocks: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

impl Outlets {
    /// Opens them; they serve until `stopped` says so.
    pub(crate) async fn open(
        config: &NodeConfig,
        recorder: PrometheusHandle,
        preconfirmed: &Preconfirmed,
        stopped: &watch::Receiver<bool>,
    ) -> Result<Self, LaunchError> {
        let (streaming, stream, publisher) = config.stream.open(config.listen.flashblocks).await?;
        let flashblocks = stream.local_addr();
        let (listen, health) = (config.listen.metrics, preconfirmed.health());
        let stop = ended(stopped.clone());
        let (metrics, serve_metrics) = metrics_server::bind(listen, recorder, health, stop).await?;
        let tasks = vec![
            streaming.spawn(stream.run_until(ended(stopped.clone()))),
            tokio::spawn(serve_metrics),
        ];
        Ok(Self {
            streaming,
            publisher,
            flashblocks,
            metrics,
            tasks,
        })
    }
}
