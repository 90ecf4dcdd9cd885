#![doc = include_str!("../README.md")]

mod accept;

mod api;
pub use api::{EthApi, HeadFeed, RpcDeps, RpcLimits, SetDaLimits};

mod args;

mod batch;

mod error;
pub use error::RpcError;

mod eth;

mod intake;
pub use intake::Forwarding;

mod metrics;

mod modules;
pub use modules::{engine_port_module, eth_module, subscription_module};

mod namespaces;
pub use namespaces::{Namespace, UnknownNamespace};

mod overlay;
pub use overlay::{Overlay, Placeholders, UnknownPlaceholders};

mod server;
pub use server::{RpcServer, ServeError, ServerConfig, serve_http, serve_ws};

mod simulation_codes;

mod sources;
pub use sources::{Source, SourceError, Sources};

mod submissions;

mod subscriptions;
