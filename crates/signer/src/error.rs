//! What can be wrong with keys and signatures. Nothing of a key is ever in a message.

use std::path::PathBuf;

use alloy_primitives::Address;
use blockwright_types::Severity;

use crate::{BlsPublicKey, KeystoreError};

/// A key that cannot be loaded, made or stored.
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
    /// The file is no keystore that can be opened.
    #[error("key file {path}: {cause}")]
    Keystore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: KeystoreError,
    },
    /// A password is given for a key that is not encrypted.
    #[error("key file {path} is not encrypted, and a password is given for it")]
    NotEncrypted {
        /// The file.
        path: PathBuf,
    },
    /// The key is encrypted, and there is neither a password file nor a terminal.
    #[error("key file {path} is encrypted: a password file is needed, or a terminal to ask at")]
    PasswordMissing {
        /// The file.
        path: PathBuf,
    },
    /// A new key is to be encrypted, and there is neither a password file nor a terminal.
    #[error(
        "a password is needed for the new key file {path}: a password file, or a terminal to ask at"
    )]
    NewPasswordMissing {
        /// The file, which is not there yet.
        path: PathBuf,
    },
    /// The password has no characters.
    #[error("the password is empty")]
    PasswordEmpty,
    /// A new password was typed in two ways.
    #[error("the two passwords differ")]
    PasswordsDiffer,
    /// The person at the terminal cannot be asked.
    #[error("the terminal cannot be asked for a password: {source}")]
    Prompt {
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("key file {path} cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    Randomness,
    /// The text is no key.
    #[error(transparent)]
    Text(#[from] InvalidKey),
}

/// A text that is no key. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not 32 bytes in hex.
    #[error("32 bytes in hex are expected")]
    NotHex,
    /// Zero, or not below the order of secp256k1.
    #[error("these 32 bytes are no key of secp256k1")]
    OutOfRange,
    /// Zero, or not below the order of BLS12-381's groups.
    #[error("these 32 bytes are no key of BLS12-381")]
    OutOfRangeOfBls,
}

impl KeyError {
    /// What to do about it: an operator has to change something.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Read { .. }
            | Self::Mode { .. }
            | Self::Content { .. }
            | Self::Keystore { .. }
            | Self::NotEncrypted { .. }
            | Self::PasswordMissing { .. }
            | Self::NewPasswordMissing { .. }
            | Self::PasswordEmpty
            | Self::PasswordsDiffer
            | Self::Prompt { .. }
            | Self::Write { .. }
            | Self::Randomness
            | Self::Text(_) => Severity::Fatal,
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
    /// Whoever holds the BLS key did not sign.
    #[error("{public_key} did not sign: {source}")]
    RefusedByBls {
        /// The key.
        public_key: BlsPublicKey,
        /// What its holder said.
        #[source]
        source: Box<dyn core::error::Error + Send + Sync>,
    },
}

impl SignError {
    /// What to do about it: the next digest may be signed again.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Refused { .. } | Self::RefusedByBls { .. } => Severity::Retry,
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

/// A BLS signature that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBlsSignature {
    /// The 48 bytes are no point of G1, or the point at infinity.
    #[error("the public key is no key")]
    PublicKey,
    /// The 96 bytes are no point of G2, or the point at infinity.
    #[error("the signature is no signature")]
    Signature,
    /// Another key, or another root.
    #[error("the signature is not that of this key under this root")]
    Mismatch,
}
