#![doc = include_str!("../README.md")]

mod client;

mod error;
pub use error::{ForwardError, SequencerError};

mod forwarder;
pub use forwarder::{ForwardConfig, ForwardService, Forwarder};

mod lane;

mod metrics;

mod queue;

mod recent;

mod sequencer;
pub use sequencer::{Sequencer, SequencerConfig};

mod target;
pub use target::TargetUrl;
