#![doc = include_str!("../README.md")]

mod admission;

mod close;

mod compress;

mod config;
pub use config::{RingLimits, StreamConfig, StreamLimits};

mod content;

mod encoder;

mod encoding;

mod entry;

mod error;
pub use error::StreamError;

mod feed;

mod hub;

mod key;
pub use key::ApiKey;

mod metrics;

mod notices;

mod outgoing;

mod position;

mod publisher;
pub use publisher::Publisher;

mod query;

mod recycle;

mod refusal;

mod ring;

mod server;
pub use server::FlashblockServer;

mod slots;

mod subscriber;

mod tls;
pub use tls::{TlsError, TlsIdentity};
