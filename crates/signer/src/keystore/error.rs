//! What can be wrong with a keystore.

use crate::{InvalidKey, KeyType};

/// A keystore that cannot be opened. Nothing of its content is in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// The text begins like JSON and is none.
    #[error("it is no JSON from line {line}, column {column} on")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field is missing, of another type, or of another length.
    #[error("`{0}` is missing or is not what a keystore has there")]
    Field(&'static str),
    /// Neither of the two formats.
    #[error("version {0} of keystores is unknown: 3 (Web3) and 4 (EIP-2335) are read")]
    Version(u64),
    /// A function that the formats do not have.
    #[error("the function that `{0}` names is unknown")]
    Function(&'static str),
    /// Parameters with which nothing is protected, or which ask for more than 1 GiB or minutes.
    #[error("`{0}` asks for too much work, or for none")]
    Cost(&'static str),
    /// The checksum is not that of this password and this content.
    #[error("the password is wrong, or the file is damaged")]
    Password,
    /// The decrypted bytes are no key.
    #[error("what it holds is no key: {0}")]
    Key(#[source] InvalidKey),
    /// The address or public key beside the encrypted key belongs to another one.
    #[error("the address or public key that it names is not its key's")]
    OtherKey,
    /// A key of the other curve.
    #[error("it holds a key of type {found}, {wanted} is needed")]
    OtherType {
        /// What it holds.
        found: KeyType,
        /// What is needed.
        wanted: KeyType,
    },
}
