#![doc = include_str!("../README.md")]

mod api;
pub use api::{EthApi, HeadFeed, RpcDeps, RpcLimits, SetDaLimits};

mod args;

mod batch;

mod error;
pub use error::RpcError;

mod eth;

mod metrics;

mod modules;
pub use modules::{engine_port_module, eth_module, subscription_module};

mod server;
pub use server::{RpcServer, ServeError, ServerConfig, serve_http, serve_ws};

mod submissions;

mod subscriptions;
