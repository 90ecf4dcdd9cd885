#![doc = include_str!("../README.md")]

mod authorities;
pub use authorities::TlsTrust;

mod error;
pub use error::TrustError;

mod remedy;
pub use remedy::with_remedy;
