//! A certificate as it is given on the command line.

use std::path::PathBuf;

use blockwright_listen::{TlsError, TlsIdentity};
use blockwright_signer::check_private;

use crate::OutletError;

/// PEM files of a certificate chain and its private key: both, or none for a server without TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain.
    pub cert: Option<PathBuf>,
    /// The private key, mode 0600 or less.
    pub key: Option<PathBuf>,
}

/// The flags by which the files are given, for complaints.
#[derive(Clone, Copy, Debug)]
pub struct TlsFlags {
    /// Of the certificate.
    pub cert: &'static str,
    /// Of the key.
    pub key: &'static str,
}

impl TlsFiles {
    /// Whether clients speak TLS.
    pub const fn is_given(&self) -> bool {
        self.cert.is_some()
    }

    /// The certificate, read and checked; `None` where none is given.
    ///
    /// # Errors
    /// [`OutletError::Config`] naming the flag at fault.
    pub fn identity(&self, flags: TlsFlags) -> Result<Option<TlsIdentity>, OutletError> {
        let missing =
            |missing, given| OutletError::flag(missing, &format!("it is missing beside {given}"));
        match (&self.cert, &self.key) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing(flags.key, flags.cert)),
            (None, Some(_)) => Err(missing(flags.cert, flags.key)),
            (Some(cert), Some(key)) => {
                let identity = TlsIdentity::from_pem_files(cert, key).map_err(|error| {
                    let at_fault = match error {
                        TlsError::Certificate { .. } => flags.cert,
                        TlsError::Key { .. } | TlsError::Pair { .. } => flags.key,
                    };
                    OutletError::flag(at_fault, &error)
                })?;
                check_private(key).map_err(|error| OutletError::flag(flags.key, &error))?;
                Ok(Some(identity))
            }
        }
    }
}
