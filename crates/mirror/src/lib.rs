#![doc = include_str!("../README.md")]

mod error;
pub use error::MirrorError;

mod health;
pub use health::Health;

mod merge;
pub use merge::{FrameCopy, Loss, Merge, MergeConfig, Merged, Output, Verdict};

mod metrics;

mod mirror;
pub use mirror::{Mirror, MirrorConfig};

mod open;

mod quiet;
