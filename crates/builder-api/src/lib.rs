#![doc = include_str!("../README.md")]

mod bid;
pub use bid::{BidTrace, bid_of};

mod config;
pub use config::{PayloadServerConfig, ServerLimits};

mod connection;

mod desk;
pub use desk::{Answer, DeskConfig, PayloadDesk};

mod error;
pub use error::{BuilderApiError, RequestError};

mod metrics;

mod paced;

mod pieces;

mod refusal;
pub use refusal::Refusal;

mod request;
pub use request::{PayloadRequest, RequestMessage};

mod route;
pub use route::PATH;

mod server;
pub use server::PayloadServer;

mod signing;
pub use signing::signing_digest;

mod source;
pub use source::{NotReleased, PayloadSource, Released};

mod version;
pub use version::{UnknownVersionNames, VersionNames};
