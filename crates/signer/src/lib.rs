#![doc = include_str!("../README.md")]

mod bls;
pub use bls::{
    BlsLocalSigner, BlsPublicKey, BlsSignature, BlsSigner, check_bls_public_key, verify_bls,
};

mod error;
pub use error::{InvalidBlsSignature, InvalidKey, InvalidSignature, KeyError, SignError};

mod key_bytes;
pub use key_bytes::{KeyBytes, KeyType, UnknownKeyType};

mod key_file;
pub use key_file::{KeyFile, check_private, write_secret};

mod keystore;
pub use keystore::{KdfCost, KdfFunction, Keystore, KeystoreError};

mod local;
pub use local::LocalSigner;

mod password;
pub use password::PasswordSource;

mod recover;
pub use recover::recover;

mod secret;
pub use secret::SecretText;

mod signer;
pub use signer::{Signature, Signer};
