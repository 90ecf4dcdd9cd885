//! BLS12-381: the seam, a key of this process, and verification. Public keys are in G1, signatures in
//! G2, with proof of possession, as the consensus layer's `bls.Sign` and `bls.Verify` have it.

use core::fmt::{self, Debug};
use std::path::Path;

use alloy_primitives::{B256, FixedBytes};
use blst::BLST_ERROR;
use blst::min_pk;

use crate::key_file::KeyFile;
use crate::{
    InvalidBlsSignature, InvalidKey, KeyBytes, KeyError, KeyType, PasswordSource, SecretText,
    SignError,
};

/// The ciphersuite of the consensus layer.
const DOMAIN_SEPARATION: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// A public key: a compressed point of G1.
pub type BlsPublicKey = FixedBytes<48>;

/// A signature: a compressed point of G2.
pub type BlsSignature = FixedBytes<96>;

/// Signs roots with one BLS key, wherever that key is.
pub trait BlsSigner: Debug + Send + Sync {
    /// The key others verify with.
    fn public_key(&self) -> BlsPublicKey;

    /// Signs `root`, which already contains its domain. May block for as long as the key's holder
    /// takes; callers have a thread for it.
    ///
    /// # Errors
    /// [`SignError`] where there is no signature now.
    fn sign_root(&self, root: B256) -> Result<BlsSignature, SignError>;
}

/// Signs with a key held in memory, which is wiped when this is dropped. Prints as its public key.
pub struct BlsLocalSigner {
    key: KeyBytes,
    public_key: BlsPublicKey,
}

impl BlsLocalSigner {
    /// The key in the file at `path`, raw hex or a keystore of EIP-2335, mode 0600 or less; a keystore is opened with
    /// `password`.
    ///
    /// # Errors
    /// [`KeyError`], naming the file and what is wrong, never its content.
    pub fn open(path: &Path, password: &PasswordSource) -> Result<Self, KeyError> {
        Self::from_key(KeyFile::open(path)?.key(KeyType::Bls, password)?)
    }

    /// The key with this text: 32 bytes in hex.
    ///
    /// # Errors
    /// [`KeyError::Text`], without the text.
    pub fn from_hex(text: &SecretText) -> Result<Self, KeyError> {
        Self::from_key(KeyBytes::from_hex(KeyType::Bls, text)?)
    }

    /// Signs with `key`.
    ///
    /// # Errors
    /// [`KeyError::Text`] where it is a key of another curve.
    pub fn from_key(key: KeyBytes) -> Result<Self, KeyError> {
        let secret = match key.key_type() {
            KeyType::Bls => min_pk::SecretKey::from_bytes(key.expose()).ok(),
            KeyType::Secp256k1 => None,
        };
        let secret = secret.ok_or(InvalidKey::OutOfRangeOfBls)?;
        let public_key = secret.sk_to_pk().compress().into();
        Ok(Self { key, public_key })
    }
}

impl BlsSigner for BlsLocalSigner {
    fn public_key(&self) -> BlsPublicKey {
        self.public_key
    }

    fn sign_root(&self, root: B256) -> Result<BlsSignature, SignError> {
        // It wipes itself when dropped.
        let secret = min_pk::SecretKey::from_bytes(self.key.expose());
        let secret = secret.expect("the bytes were a key when the signer was made");
        Ok(secret
            .sign(root.as_slice(), DOMAIN_SEPARATION, &[])
            .compress()
            .into())
    }
}

impl Debug for BlsLocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlsLocalSigner")
            .field(&self.public_key)
            .finish()
    }
}

/// Whether `public_key` can be anybody's: a point of its group, and not the one at infinity.
///
/// # Errors
/// [`InvalidBlsSignature::PublicKey`].
pub fn check_bls_public_key(public_key: &BlsPublicKey) -> Result<(), InvalidBlsSignature> {
    min_pk::PublicKey::key_validate(public_key.as_slice())
        .map(|_| ())
        .map_err(|_| InvalidBlsSignature::PublicKey)
}

/// Whether `signature` is that of `public_key` under `root`. Both points are checked to be in their
/// groups, and the point at infinity is no key.
///
/// # Errors
/// [`InvalidBlsSignature`], which says whether the key, the signature or their match is wrong.
pub fn verify_bls(
    root: B256,
    signature: &BlsSignature,
    public_key: &BlsPublicKey,
) -> Result<(), InvalidBlsSignature> {
    let key = min_pk::PublicKey::key_validate(public_key.as_slice())
        .map_err(|_| InvalidBlsSignature::PublicKey)?;
    let signature = min_pk::Signature::sig_validate(signature.as_slice(), true)
        .map_err(|_| InvalidBlsSignature::Signature)?;
    // Both were checked above.
    match signature.verify(false, root.as_slice(), DOMAIN_SEPARATION, &[], &key, false) {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        _ => Err(InvalidBlsSignature::Mismatch),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
