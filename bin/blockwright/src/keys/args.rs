//! Flags of `blockwright keys`.

use std::path::PathBuf;

use alloy_primitives::{Address, B256, Bytes};
use blockwright_signer::{BlsPublicKey, KdfCost, KdfFunction, KeyType};
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(super) verb: KeysVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysVerb {
    /// Make a new key and write it to a new file.
    New(NewArgs),
    /// Write a key that exists to a new file: from hex or a keystore.
    Import(ImportArgs),
    /// Show whose key a file holds, and nothing secret.
    Show(ShowArgs),
    /// Sign a digest or a message.
    Sign(SignArgs),
    /// Check whose signature it is.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// secp256k1 or bls (default: what the keystore has, else secp256k1).
    #[arg(long = "type", env = "BLOCKWRIGHT_KEYS_TYPE", value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// secp256k1 or bls (default: what the keystore has, else secp256k1).
    #[arg(long = "type", env = "BLOCKWRIGHT_KEYS_TYPE", value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
    /// File with the key: a keystore, or 32 bytes in hex (default: standard input).
    #[arg(long = "in", env = "BLOCKWRIGHT_KEYS_IN", value_name = "FILE")]
    pub(super) input: Option<PathBuf>,
    /// File with the password that opens the keystore that is read (default: asks at the terminal).
    #[arg(long, env = "BLOCKWRIGHT_KEYS_IN_PASSWORD_FILE", value_name = "FILE")]
    pub(super) in_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

/// The file that is written.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// New file for the key, made with mode 0600.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_OUT", value_name = "FILE")]
    pub(super) out: PathBuf,
    /// File with the keystore's password, mode 0600 or less (default: asks at the terminal).
    #[arg(long, env = "BLOCKWRIGHT_KEYS_PASSWORD_FILE", value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// What makes a key of the password: scrypt or pbkdf2.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_KDF", value_enum, default_value_t = Kdf::Scrypt)]
    kdf: Kdf,
    /// Little work for each guess at the password: only for a long random one, and for tests.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_LIGHT_KDF")]
    light_kdf: bool,
    /// Write the key as hex that is not encrypted: for development alone.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_RAW", conflicts_with = "password_file")]
    pub(super) raw: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kdf {
    Scrypt,
    Pbkdf2,
}

impl TargetArgs {
    pub(super) const fn kdf(&self) -> (KdfFunction, KdfCost) {
        let function = match self.kdf {
            Kdf::Scrypt => KdfFunction::Scrypt,
            Kdf::Pbkdf2 => KdfFunction::Pbkdf2,
        };
        let cost = if self.light_kdf {
            KdfCost::Light
        } else {
            KdfCost::Standard
        };
        (function, cost)
    }
}

/// A file that holds a key.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// File with the key, mode 0600 or less: a keystore, or 32 bytes in hex.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_KEY", value_name = "FILE")]
    pub(super) key: PathBuf,
    /// secp256k1 or bls (default: what the keystore has, else secp256k1).
    #[arg(long = "type", env = "BLOCKWRIGHT_KEYS_TYPE", value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
    /// File with the keystore's password, mode 0600 or less (default: asks at the terminal).
    #[arg(long, env = "BLOCKWRIGHT_KEYS_PASSWORD_FILE", value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) key: KeyArgs,
}

/// What is signed.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct SubjectArgs {
    /// 32 bytes in hex that are signed as they are: a hash, or a signing root.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_DIGEST", value_name = "HEX")]
    pub(super) digest: Option<B256>,
    /// Text whose hash by EIP-191 is signed, as wallets sign messages.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_MESSAGE", value_name = "TEXT")]
    pub(super) message: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SignArgs {
    #[command(flatten)]
    pub(super) key: KeyArgs,
    #[command(flatten)]
    pub(super) subject: SubjectArgs,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// secp256k1 or bls (default: bls with --public-key, else secp256k1).
    #[arg(long = "type", env = "BLOCKWRIGHT_KEYS_TYPE", value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
    #[command(flatten)]
    pub(super) subject: SubjectArgs,
    /// The signature in hex: 65 bytes of secp256k1 or 96 of bls.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_SIGNATURE", value_name = "HEX")]
    pub(super) signature: Bytes,
    /// Whose secp256k1 signature it must be (default: anybody's, who is shown).
    #[arg(
        long,
        env = "BLOCKWRIGHT_KEYS_ADDRESS",
        value_name = "ADDRESS",
        conflicts_with = "public_key"
    )]
    pub(super) address: Option<Address>,
    /// Whose bls signature it must be: 48 bytes in hex.
    #[arg(long, env = "BLOCKWRIGHT_KEYS_PUBLIC_KEY", value_name = "HEX")]
    pub(super) public_key: Option<BlsPublicKey>,
}
