#![doc = include_str!("../README.md")]

mod backoff;
pub use backoff::{Jitter, RandomJitter};

mod config;
pub use config::SubscriberConfig;

mod connect;

mod connection;

mod error;
pub use error::{Disconnect, SubscribeError, Unreadable};

mod event;
pub use event::{Event, Gap, Received};

mod header;
pub use header::{FrameHeader, peek};

mod key;
pub use key::StreamKey;

mod subscriber;
pub use subscriber::Subscriber;

mod taken;

mod unpack;

mod url;
pub use url::StreamUrl;

mod watchdog;
