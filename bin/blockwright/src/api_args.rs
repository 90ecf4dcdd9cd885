//! The flags that choose the methods of the JSON-RPC servers.

use blockwright_launch::{ApiSettings, Namespace};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
    /// JSON-RPC over HTTP: namespaces that are served, separated by commas: eth, net, web3, op, txpool, miner,
    /// builder (default: all of them in `dev`, all but builder in `node`).
    #[arg(
        long = "http.api",
        env = "BLOCKWRIGHT_HTTP_API",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    http_api: Option<Vec<Namespace>>,
    /// JSON-RPC over WebSocket: namespaces that are served (default: as for HTTP).
    #[arg(
        long = "ws.api",
        env = "BLOCKWRIGHT_WS_API",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    ws_api: Option<Vec<Namespace>>,
}

impl ApiArgs {
    /// The servers' methods.
    pub(crate) fn settings(self) -> ApiSettings {
        ApiSettings {
            http: self.http_api,
            ws: self.ws_api,
        }
    }
}
