#![doc = include_str!("../README.md")]

mod client;
pub use client::{AttributesClient, ClientConfig};

mod config;
pub use config::{EventServerConfig, SubscriberLimits};

mod connect;

mod connection;

mod driver;
pub use driver::{BuildFuture, BuildOutcome, BuildTarget};

mod error;
pub use error::{AttributesError, EventError, Problem};

mod event;
pub use event::AttributesEvent;

mod feed;
pub use feed::AttributesFeed;

mod field;

mod follower;

mod metrics;

mod rpc_read;

mod rpc_write;

mod selection;

mod server;
pub use server::AttributesServer;

mod sse;
pub use sse::{SseEvent, SseReader, TooLong, sse_frame};

mod steady;

mod subscription;
pub use subscription::{Disconnect, Subscription};

mod url;
pub use url::{AttributesUrl, STREAM_PATH};
