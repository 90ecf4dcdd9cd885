//! What can be wrong with keys and signatures. Nothing of a key is ever in a message.

use std::path::PathBuf;

use alloy_primitives::Address;
use blockwright_types::Severity;

/// A key that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("key file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner may use the file.
    #[error(
        "key file {path} has mode {mode:04o}, which lets others at it: 0600 is the most it may be"
    )]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no key.
    #[error("key file {path}: {cause}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: InvalidKey,
    },
    /// The text is no key.
    #[error(transparent)]
    Text(#[from] InvalidKey),
}

/// A text that is no secp256k1 key. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not 32 bytes in hex.
    #[error("32 bytes in hex are expected")]
    NotHex,
    /// Zero, or not below the order of the curve.
    #[error("these 32 bytes are no key of secp256k1")]
    OutOfRange,
}

impl KeyError {
    /// What to do about it: an operator has to change something.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Read { .. } | Self::Mode { .. } | Self::Content { .. } | Self::Text(_) => {
                Severity::Fatal
            }
        }
    }
}

/// There is no signature now.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Whoever holds the key did not sign.
    #[error("{address} did not sign: {source}")]
    Refused {
        /// The key's address.
        address: Address,
        /// What its holder said.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}

impl SignError {
    /// What to do about it: the next digest may be signed again.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Refused { .. } => Severity::Retry,
        }
    }
}

/// 65 bytes from which no address can be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// The recovery id is neither 0 nor 1.
    #[error("recovery id {0} is neither 0 nor 1")]
    RecoveryId(u8),
    /// `r` and `s` are no signature of any key.
    #[error("`r` and `s` are no signature")]
    Numbers,
}
