#![doc = include_str!("../README.md")]

mod error;
pub use error::MirrorError;

mod merge;
pub use merge::{FrameCopy, Merge, MergeConfig, Merged, Output, Verdict};

mod metrics;

mod mirror;
pub use mirror::{Mirror, MirrorConfig};

mod open;
