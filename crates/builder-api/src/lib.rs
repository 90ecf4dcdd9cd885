#![doc = include_str!("../README.md")]

mod bid;
pub use bid::bid_of;

mod config;
pub use config::{PayloadServerConfig, ServerLimits};

mod connection;

mod desk;
pub use desk::{Admitted, Answer, DeskConfig, PayloadDesk};

mod error;
pub use error::BuilderApiError;

mod metrics;

mod paced;

mod pieces;

mod refusal;
pub use refusal::Refusal;

mod route;

mod server;
pub use server::PayloadServer;

mod signed_bids;

mod source;
pub use source::{NotReleased, PayloadSource, Released};
