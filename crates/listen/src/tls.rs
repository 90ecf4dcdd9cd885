//! The server's certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use blockwright_types::Severity;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate chain cannot be read.
    #[error("certificate chain {path}: {reason}")]
    Certificate {
        /// The PEM file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The private key cannot be read. Nothing of it is repeated.
    #[error("private key {path}: {reason}")]
    Key {
        /// The PEM file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The two do not belong together, or are of a kind that TLS cannot use.
    #[error("the private key {path} cannot be used with its certificate: {source}")]
    Pair {
        /// The key's file.
        path: PathBuf,
        /// What the TLS library said.
        #[source]
        source: rustls::Error,
    },
}

impl TlsError {
    /// What to do about it: the operator has to give other files.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Certificate { .. } | Self::Key { .. } | Self::Pair { .. } => Severity::Fatal,
        }
    }
}

/// A certificate chain with its private key, for TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct TlsIdentity {
    config: Arc<ServerConfig>,
}

impl TlsIdentity {
    /// Reads PEM files: the chain with the server's own certificate first, and its private key
    /// (PKCS #8, PKCS #1 or SEC1).
    ///
    /// # Errors
    /// [`TlsError`] naming the file that is missing, holds nothing of the kind, or does not fit.
    pub fn from_pem_files(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let refused = |reason: String| TlsError::Certificate {
            path: certificates.to_path_buf(),
            reason,
        };
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| refused(error.to_string()))?;
        if chain.is_empty() {
            return Err(refused("it holds no certificate in PEM form".to_owned()));
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::Key {
            path: key.to_path_buf(),
            reason: error.to_string(),
        })?;
        let unusable = |source| TlsError::Pair {
            path: key.to_path_buf(),
            source,
        };
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(chain, private)
            })
            .map_err(unusable)?;
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// Makes a plain connection a TLS one.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

impl core::fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TlsIdentity(…)")
    }
}
