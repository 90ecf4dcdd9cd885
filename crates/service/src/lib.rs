#![doc = include_str!("../README.md")]

mod completion;

mod config;
pub use config::{PolicyFactory, ServiceConfig};

mod error;
pub use error::{ReleaseError, ResolveError, StartError};

mod handle;
pub use handle::{BestWatch, BuilderHandle, Release};

mod ledger;

mod mailbox;

mod metrics;
pub use metrics::describe as describe_metrics;

mod offer;
pub use offer::{Offer, Settled};

mod service;
pub use service::BuilderService;

mod shared;

mod starting;
pub use starting::Starting;

mod system_clock;
pub use system_clock::SystemClock;

mod table;

mod worker;

pub use blockwright_core::{Best, ConfigError, DaLimits, JobConfig, Payload, RootsRule, ShareRule};
