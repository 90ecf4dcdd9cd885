//! The flashblock stream's settings, and its start.

use std::net::SocketAddr;
use std::path::PathBuf;

use blockwright_stream::{
    ApiKey, FlashblockServer, Publisher, RingLimits, StreamConfig, StreamError, TlsError,
    TlsIdentity,
};

use crate::LaunchError;

/// The flashblock stream's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// Most subscribers in total.
    pub subscribers_max: usize,
    /// Most subscribers from one address.
    pub subscribers_per_address_max: usize,
    /// What is held for those who resume.
    pub ring: RingLimits,
    /// Who may subscribe; empty for everybody.
    pub api_keys: Vec<ApiKey>,
    /// PEM file of the certificate chain; with it and the key the stream is served by TLS.
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    pub tls_key: Option<PathBuf>,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            subscribers_max: 5_000,
            subscribers_per_address_max: 5_000,
            ring: RingLimits::default(),
            api_keys: Vec::new(),
            tls_cert: None,
            tls_key: None,
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
        let mut config = StreamConfig::new(addr);
        config.limits.subscribers_max = self.subscribers_max;
        config.limits.subscribers_per_address_max = self.subscribers_per_address_max;
        config.ring = self.ring.clone();
        config.api_keys.clone_from(&self.api_keys);
        config.tls = self.tls()?;
        FlashblockServer::bind(config).await.map_err(refused)
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

const TLS_CERT: &str = "--flashblocks.tls-cert";
const TLS_KEY: &str = "--flashblocks.tls-key";

const fn tls_flag(error: &TlsError) -> &'static str {
    match error {
        TlsError::Certificate { .. } => TLS_CERT,
        TlsError::Key { .. } | TlsError::Pair { .. } => TLS_KEY,
    }
}

fn flag(flag: &'static str, reason: &dyn core::fmt::Display) -> LaunchError {
    LaunchError::Config {
        flag,
        reason: reason.to_string(),
    }
}

fn refused(error: StreamError) -> LaunchError {
    match error {
        StreamError::ApiKey { .. } => flag("--flashblocks.api-key", &error),
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
