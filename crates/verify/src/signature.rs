//! Who signed a flashblock.

use alloy_primitives::{Address, B256};
use blockwright_flashblocks::BuilderSignature;
use blockwright_signer::{InvalidSignature, recover};

/// Why a flashblock is not signed as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error("not signed")]
    Missing,
    /// Nobody's signature.
    #[error("builder_signature: {0}")]
    Invalid(#[from] InvalidSignature),
    /// Somebody else's.
    #[error("signed by {signer}, who is not expected")]
    Signer {
        /// Whose it is: an address that nobody has where signature and flashblock do not belong
        /// together.
        signer: Address,
    },
}

/// The one of `signers` who signed `flash_hash`, the hash of a flashblock in dialect `spec`.
///
/// # Errors
/// [`SignatureError`] where none of them did.
pub fn check_signature(
    flash_hash: B256,
    signature: Option<&BuilderSignature>,
    signers: &[Address],
) -> Result<Address, SignatureError> {
    let signature = signature.ok_or(SignatureError::Missing)?;
    let signer = recover(flash_hash, signature)?;
    if signers.contains(&signer) {
        Ok(signer)
    } else {
        Err(SignatureError::Signer { signer })
    }
}
