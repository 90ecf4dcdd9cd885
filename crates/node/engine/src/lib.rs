#![doc = include_str!("../README.md")]

mod arriving;

mod config;
pub use config::{EngineConfig, EngineDeps};

mod difference;

mod engine;
pub use engine::Engine;

mod error;
pub use error::EngineError;

mod follower;

mod fork_choice;

mod heads;
pub use heads::Heads;

mod host;
pub use host::EmbeddedHost;

mod import;

mod incoming;

mod invalid;

mod jwt;
pub use jwt::{JwtError, JwtSecret};

mod metrics;

mod new_payload;

mod node;

mod orphans;

mod preconfirmed;
pub use preconfirmed::Preconfirmed;

mod rival;
pub use rival::{NotTaken, Rival, RivalOffer, RivalWanted};

mod rpc;
pub use rpc::engine_module;

mod server;
pub use server::{AuthRpcConfig, AuthRpcServer, ServeError, serve_authrpc};

mod senders;
pub use senders::decode_all;

mod splice;

mod view;

pub use blockwright_payload::{
    BlobsBundle, ExecutionPayload, ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion,
    PayloadEnvelope,
};
pub use blockwright_requests::BadTransaction;
