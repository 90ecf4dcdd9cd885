#![doc = include_str!("../README.md")]

mod answer;
pub use answer::Answer;

mod choice;
pub use choice::{Choice, Reason, choose};

mod client;
pub use client::{BuilderClient, ClientConfig};

mod error;
pub use error::{Against, ClientError, Lie};

mod local;

mod offer;
pub use offer::{Offer, Wanted};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

mod tips;
pub use tips::{TipsError, tips};

mod url;
