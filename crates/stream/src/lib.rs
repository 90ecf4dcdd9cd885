#![doc = include_str!("../README.md")]

mod admission;

mod close;

mod config;
pub use config::{RingLimits, StreamConfig, StreamLimits};

mod encoder;

mod encoding;
pub use encoding::Codec;

mod entry;

mod error;
pub use error::StreamError;

mod feed;

mod forms;

mod frame;

mod handshakes;

mod hub;

mod key;
pub use key::ApiKey;

mod key_slots;

mod makers;

mod metrics;

mod notices;

mod outgoing;

mod payload;

mod position;

mod publisher;
pub use publisher::Publisher;

mod query;

mod recycle;

mod refusal;

mod relay;
pub use relay::{RelayError, RelayPublisher, RelayedFrame};

mod ring;

mod server;
pub use server::FlashblockServer;

mod served;

mod slot;

mod subscriber;

pub use blockwright_listen::{TlsError, TlsIdentity};
