//! The 32 bytes of a private key, whatever its curve.

use core::fmt;
use core::str::FromStr;

use alloy_primitives::hex;
use blst::min_pk;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secp256k1::SecretKey;
use zeroize::Zeroizing;

use crate::{InvalidKey, KeyError, SecretText};

/// The curve a key is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// secp256k1: Ethereum accounts, signed flashblocks and bids.
    Secp256k1,
    /// BLS12-381 with public keys in G1, as Ethereum's consensus layer has them.
    Bls,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secp256k1 => "secp256k1",
            Self::Bls => "bls",
        })
    }
}

/// A text that names no type of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secp256k1 or bls is expected")]
pub struct UnknownKeyType;

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "secp256k1" => Ok(Self::Secp256k1),
            "bls" => Ok(Self::Bls),
            _ => Err(UnknownKeyType),
        }
    }
}

/// A private key: 32 bytes, big-endian, in the range of its curve. Wiped when dropped and never
/// printed. On the heap, so that moving it leaves no copy.
pub struct KeyBytes {
    key_type: KeyType,
    bytes: Box<Zeroizing<[u8; 32]>>,
}

impl KeyBytes {
    /// A new key from the system's source of randomness.
    ///
    /// # Errors
    /// [`KeyError::Randomness`] where the system has none.
    pub fn generate(key_type: KeyType) -> Result<Self, KeyError> {
        let mut random = Box::new(Zeroizing::new([0; 32]));
        loop {
            OsRng
                .try_fill_bytes(&mut random[..])
                .map_err(|_| KeyError::Randomness)?;
            let made = match key_type {
                KeyType::Secp256k1 => Self::new(key_type, random.clone()),
                KeyType::Bls => derive_bls(&random),
            };
            // Out of range once in 2^128 attempts.
            if let Ok(key) = made {
                return Ok(key);
            }
        }
    }

    /// The key with this text: 32 bytes in hex, with or without `0x`, white space around it.
    ///
    /// # Errors
    /// [`InvalidKey`], without the text.
    pub fn from_hex(key_type: KeyType, text: &SecretText) -> Result<Self, InvalidKey> {
        Self::parse(key_type, text.expose())
    }

    pub(crate) fn parse(key_type: KeyType, text: &str) -> Result<Self, InvalidKey> {
        let mut bytes = Box::new(Zeroizing::new([0; 32]));
        hex::decode_to_slice(text.trim(), &mut bytes[..]).map_err(|_| InvalidKey::NotHex)?;
        Self::new(key_type, bytes)
    }

    pub(crate) fn new(
        key_type: KeyType,
        bytes: Box<Zeroizing<[u8; 32]>>,
    ) -> Result<Self, InvalidKey> {
        match key_type {
            KeyType::Secp256k1 => {
                let mut key =
                    SecretKey::from_byte_array(**bytes).map_err(|_| InvalidKey::OutOfRange)?;
                key.non_secure_erase();
            }
            KeyType::Bls => {
                min_pk::SecretKey::from_bytes(&bytes[..])
                    .map_err(|_| InvalidKey::OutOfRangeOfBls)?;
            }
        }
        Ok(Self { key_type, bytes })
    }

    /// The curve.
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The key as 64 digits of hex, for a file that is not encrypted.
    pub fn to_hex(&self) -> SecretText {
        SecretText::new(hex::encode(self.expose()))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }
}

/// The key that the standard derivation makes of 32 random bytes.
fn derive_bls(random: &[u8; 32]) -> Result<KeyBytes, InvalidKey> {
    let key = min_pk::SecretKey::key_gen(random, &[]).map_err(|_| InvalidKey::OutOfRangeOfBls)?;
    let bytes = Box::new(Zeroizing::new(key.to_bytes()));
    KeyBytes::new(KeyType::Bls, bytes)
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyBytes({})", self.key_type)
    }
}
