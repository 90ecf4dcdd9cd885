#![doc = include_str!("../README.md")]

mod arriving;

mod attributes;

mod config;
pub use config::{EngineConfig, EngineDeps};

mod difference;

mod engine;
pub use engine::Engine;

mod error;
pub use error::EngineError;

mod follower;

mod fork_choice;

mod given;
pub use given::GivenAttributes;

mod heads;
pub use heads::Heads;

mod host;
pub use host::{EmbeddedHost, MakeClosing};

mod import;

mod incoming;

mod invalid;

mod jwt;
pub use jwt::{JwtError, JwtSecret};

mod metrics;

mod new_payload;

mod offer;
pub use offer::OfferedBlock;

mod orphans;

mod preconfirmed;
pub use preconfirmed::Preconfirmed;

mod release;
pub use release::ReleasedBlock;

mod rival;
pub use rival::{NotTaken, Rival, RivalOffer, RivalWanted};

mod rpc;
pub use rpc::engine_module;

mod server;
pub use server::{AuthRpcConfig, AuthRpcServer, ServeError, serve_authrpc};

mod senders;
pub use senders::{BadTransaction, decode_all};

mod splice;

mod streamed;
pub use streamed::Streamed;

mod version;
pub use version::{ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion};

mod view;

pub use blockwright_payload::{BlobsBundle, ExecutionPayload, PayloadEnvelope};
