//! Certificate authorities that are believed.

use core::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::TrustError;

/// The certificate authorities that servers are checked against: the system's, and those of a file. Clones
/// share everything.
#[derive(Clone)]
pub struct TlsTrust(Arc<ClientConfig>);

impl TlsTrust {
    /// The system's authorities and, where given, those in a PEM file.
    ///
    /// # Errors
    /// [`TrustError::Authorities`] where the file cannot be read or holds none.
    pub fn load(extra: Option<&Path>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        // A system without any is not at fault: the file may hold all that is needed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = extra {
            add(&mut roots, path)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the protocol versions that it is built with")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Makes a plain connection a TLS one, once the server has shown a certificate that is believed.
    pub fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.0))
    }

    /// The settings themselves, for clients that connect by something else.
    pub fn client_config(&self) -> ClientConfig {
        (*self.0).clone()
    }
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let bad = |cause: String| TrustError::Authorities {
        path: path.to_path_buf(),
        cause,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad(error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad("it holds no certificate in PEM form".to_owned()));
    }
    for certificate in certificates {
        let added = roots.add(certificate);
        added.map_err(|error| bad(error.to_string()))?;
    }
    Ok(())
}

impl fmt::Debug for TlsTrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsTrust(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_is_taken_or_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&path, made.cert.pem()).unwrap();
        TlsTrust::load(Some(&path)).unwrap();
        let said = |path: &Path| TlsTrust::load(Some(path)).unwrap_err().to_string();
        let name = path.to_str().unwrap();
        for text in ["nothing", made.signing_key.serialize_pem().as_str()] {
            std::fs::write(&path, text).unwrap();
            let error = said(&path);
            assert!(error.contains("no certificate"), "{error}");
            assert!(error.contains(name), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(said(&path).contains(name));
    }
}
