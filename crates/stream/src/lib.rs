#![doc = include_str!("../README.md")]

mod close;

mod config;
pub use config::{StreamConfig, StreamLimits};

mod encoder;

mod error;
pub use error::StreamError;

mod hub;

mod metrics;

mod publisher;
pub use publisher::Publisher;

mod query;

mod refusal;

mod server;
pub use server::FlashblockServer;

mod slots;

mod subscriber;
