//! The flashblock stream's settings, and its start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use blockwright_flashblocks::{Form, MetadataDetail};
use blockwright_signer::{KeyError, LocalSigner, PasswordSource, SecretText, Signer};
use blockwright_stream::{
    ApiKey, FlashblockServer, Publisher, RelayPublisher, RingLimits, StreamConfig, StreamError,
    StreamLimits, TlsError, TlsIdentity,
};

use crate::LaunchError;

/// The flashblock stream's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// Most subscribers in total.
    pub subscribers_max: usize,
    /// Most subscribers from one address.
    pub subscribers_per_address_max: usize,
    /// Most subscribers with one key.
    pub subscribers_per_key_max: usize,
    /// What is held for those who resume.
    pub ring: RingLimits,
    /// Who may subscribe; empty for everybody.
    pub api_keys: Vec<ApiKey>,
    /// PEM file of the certificate chain; with it and the key the stream is served by TLS.
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// The metadata of JSON frames where a subscriber does not ask for another extent.
    pub metadata: MetadataDetail,
    /// Whether all JSON metadata names the flashblock before.
    pub prev_id: bool,
    /// File of the key that signs flashblocks, raw hex or a Web3 keystore, mode 0600 or less.
    pub sign_key: Option<PathBuf>,
    /// File of the password that opens the keystore, mode 0600 or less; without it whoever is at the
    /// terminal is asked.
    pub sign_key_password_file: Option<PathBuf>,
    /// The same key as hex text, for development.
    pub sign_key_hex: Option<SecretText>,
}

impl Default for StreamSettings {
    fn default() -> Self {
        let limits = StreamLimits::default();
        Self {
            subscribers_max: limits.subscribers_max,
            subscribers_per_address_max: limits.subscribers_per_address_max,
            subscribers_per_key_max: limits.subscribers_per_key_max,
            ring: RingLimits::default(),
            api_keys: Vec::new(),
            tls_cert: None,
            tls_key: None,
            metadata: MetadataDetail::default(),
            prev_id: false,
            sign_key: None,
            sign_key_password_file: None,
            sign_key_hex: None,
        }
    }
}

impl StreamSettings {
    /// Whether subscribers speak TLS.
    pub(crate) const fn is_tls(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// The server, listening on `addr`, and the builder's end of it.
    pub(crate) async fn bind(
        &self,
        addr: SocketAddr,
    ) -> Result<(FlashblockServer, Publisher), LaunchError> {
        let mut config = self.config(addr)?;
        config.metadata = self.metadata;
        config.prev_id = self.prev_id;
        config.signer = self.signer()?;
        FlashblockServer::bind(config).await.map_err(refused)
    }

    /// The server of a relay of frames in `form`, and the relay's end of it.
    pub(crate) async fn bind_relay(
        &self,
        addr: SocketAddr,
        form: Form,
    ) -> Result<(FlashblockServer, RelayPublisher), LaunchError> {
        let config = self.config(addr)?;
        FlashblockServer::bind_relay(config, form)
            .await
            .map_err(refused)
    }

    /// What concerns subscribers alone.
    fn config(&self, addr: SocketAddr) -> Result<StreamConfig, LaunchError> {
        let mut config = StreamConfig::new(addr);
        config.limits.subscribers_max = self.subscribers_max;
        config.limits.subscribers_per_address_max = self.subscribers_per_address_max;
        config.limits.subscribers_per_key_max = self.subscribers_per_key_max;
        config.ring = self.ring.clone();
        config.api_keys.clone_from(&self.api_keys);
        config.tls = self.tls()?;
        Ok(config)
    }

    fn signer(&self) -> Result<Option<Arc<dyn Signer>>, LaunchError> {
        if self.sign_key.is_none() && self.sign_key_password_file.is_some() {
            return Err(flag(
                SIGN_KEY_PASSWORD_FILE,
                &"there is no --flashblocks.sign-key that it opens",
            ));
        }
        let signer = match (&self.sign_key, &self.sign_key_hex) {
            (None, None) => return Ok(None),
            (Some(file), None) => {
                let password = self.sign_key_password_file.clone();
                LocalSigner::open(file, &PasswordSource::file_or_terminal(password))
                    .map_err(|error| flag(key_flag(&error), &error))?
            }
            (None, Some(text)) => {
                tracing::warn!(
                    "{SIGN_KEY_HEX} is for development: others may read command lines and \
                     environments, a file of mode 0600 they may not"
                );
                LocalSigner::from_hex(text).map_err(|error| flag(SIGN_KEY_HEX, &error))?
            }
            (Some(_), Some(_)) => {
                return Err(flag(
                    SIGN_KEY_HEX,
                    &"there is --flashblocks.sign-key already",
                ));
            }
        };
        tracing::info!(signer = %signer.address(), "flashblocks are signed");
        Ok(Some(Arc::new(signer)))
    }

    fn tls(&self) -> Result<Option<TlsIdentity>, LaunchError> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => TlsIdentity::from_pem_files(cert, key)
                .map(Some)
                .map_err(|error| flag(tls_flag(&error), &error)),
            (Some(_), None) => Err(flag(
                TLS_KEY,
                &"it is missing beside --flashblocks.tls-cert",
            )),
            (None, Some(_)) => Err(flag(
                TLS_CERT,
                &"it is missing beside --flashblocks.tls-key",
            )),
        }
    }
}

const SIGN_KEY: &str = "--flashblocks.sign-key";
const SIGN_KEY_HEX: &str = "--flashblocks.sign-key-hex";
const SIGN_KEY_PASSWORD_FILE: &str = "--flashblocks.sign-key-password-file";
const TLS_CERT: &str = "--flashblocks.tls-cert";
const TLS_KEY: &str = "--flashblocks.tls-key";

/// The flag to change where a key cannot be had.
const fn key_flag(error: &KeyError) -> &'static str {
    match error {
        KeyError::NotEncrypted { .. }
        | KeyError::PasswordMissing { .. }
        | KeyError::PasswordEmpty => SIGN_KEY_PASSWORD_FILE,
        _ => SIGN_KEY,
    }
}

const fn tls_flag(error: &TlsError) -> &'static str {
    match error {
        TlsError::Certificate { .. } => TLS_CERT,
        TlsError::Key { .. } | TlsError::Pair { .. } => TLS_KEY,
    }
}

pub(crate) fn flag(flag: &'static str, reason: &dyn core::fmt::Display) -> LaunchError {
    LaunchError::Config {
        flag,
        reason: reason.to_string(),
    }
}

fn refused(error: StreamError) -> LaunchError {
    match error {
        StreamError::ApiKey { .. } => flag("--flashblocks.api-key", &error),
        StreamError::ZeroLimit {
            field: "subscribers_per_key_max",
        } => flag("--flashblocks.max-per-key", &error),
        StreamError::ZeroLimit { field: "ring.age" } => flag("--flashblocks.ring-time", &error),
        StreamError::ZeroLimit {
            field: "ring.frames_max",
        } => flag("--flashblocks.ring-frames", &error),
        StreamError::ZeroLimit {
            field: "ring.size_bytes_max",
        } => flag("--flashblocks.ring-size", &error),
        other => LaunchError::Start {
            part: "flashblocks",
            source: Box::new(other),
        },
    }
}
