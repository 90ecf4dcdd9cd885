#![doc = include_str!("../README.md")]

mod builder_api_args;
pub use builder_api_args::BuilderApiArgs;

mod builder_args;
pub use builder_args::BuilderArgs;

pub mod duration;

mod listen_args;
pub use listen_args::{LOOPBACK, StreamListenArgs};

mod payment_args;
pub use payment_args::PaymentArgs;

mod secret;
pub use secret::secret;

mod stream_args;
pub use stream_args::{ContentArgs, StreamArgs};

#[cfg(test)]
#[allow(clippy::panic)]
mod tests;
