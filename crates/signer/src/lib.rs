#![doc = include_str!("../README.md")]

mod error;
pub use error::{InvalidKey, InvalidSignature, KeyError, SignError};

mod key_file;

mod local;
pub use local::LocalSigner;

mod recover;
pub use recover::recover;

mod secret;
pub use secret::SecretText;

mod signer;
pub use signer::{Signature, Signer};
