//! The seam.

use core::fmt::Debug;

use alloy_primitives::{Address, B256, FixedBytes};

use crate::SignError;

/// A recoverable secp256k1 signature: `r` and `s`, big-endian, `s` in the lower half of the order,
/// and the recovery id (0 or 1).
pub type Signature = FixedBytes<65>;

/// Signs digests with one secp256k1 key, wherever that key is.
pub trait Signer: Debug + Send + Sync {
    /// The address of the key.
    fn address(&self) -> Address;

    /// Whether [`Self::sign`] does no more than compute, for a tenth of a millisecond at most: the key is
    /// here.
    fn is_prompt(&self) -> bool {
        false
    }

    /// Signs `digest` as it is, without a prefix. May block for as long as the key's holder takes, unless
    /// [`Self::is_prompt`]; callers have a thread for it.
    ///
    /// # Errors
    /// [`SignError`] where there is no signature now.
    fn sign(&self, digest: B256) -> Result<Signature, SignError>;
}
