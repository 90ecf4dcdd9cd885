//! The flashblock stream's settings, and its start.

use std::net::SocketAddr;
use std::sync::Arc;

use blockwright_flashblocks::{Form, MetadataDetail};
use blockwright_signer::Signer;
use blockwright_stream::{
    ApiKey, FlashblockServer, Publisher, RelayPublisher, RingLimits, StreamConfig, StreamError,
    StreamLimits,
};
use blockwright_threads::Priority;

use crate::key_source::KeyFlags;
use crate::tls_files::TlsFlags;
use crate::{KeySource, Listen, OutletError, ServerRuntime, TlsFiles};

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
    /// With a certificate the stream is served by TLS.
    pub tls: TlsFiles,
    /// The metadata of JSON frames where a subscriber does not ask for another extent.
    pub metadata: MetadataDetail,
    /// Whether all JSON metadata names the flashblock before.
    pub prev_id: bool,
    /// The key that signs flashblocks.
    pub sign_key: KeySource,
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
            tls: TlsFiles::default(),
            metadata: MetadataDetail::default(),
            prev_id: false,
            sign_key: KeySource::default(),
        }
    }
}

impl StreamSettings {
    /// Whether subscribers speak TLS.
    pub const fn is_tls(&self) -> bool {
        self.tls.is_given()
    }

    /// The server, listening, with the threads it is to run on and the builder's end of it.
    ///
    /// # Errors
    /// [`OutletError`] naming the flag at fault or why it cannot listen.
    pub async fn open(
        &self,
        listen: Listen,
    ) -> Result<(ServerRuntime, FlashblockServer, Publisher), OutletError> {
        let streaming = ServerRuntime::start("stream", Priority::Stream)?;
        let (settings, addr) = (self.clone(), listen.socket());
        let (server, publisher) = streaming
            .run(async move { settings.bind(addr).await })
            .await?;
        Ok((streaming, server, publisher))
    }

    /// The server, listening on `addr`, and the builder's end of it.
    async fn bind(&self, addr: SocketAddr) -> Result<(FlashblockServer, Publisher), OutletError> {
        let mut config = self.config(addr)?;
        config.metadata = self.metadata;
        config.prev_id = self.prev_id;
        config.signer = self.signer()?;
        FlashblockServer::bind(config).await.map_err(refused)
    }

    /// The server of a relay of frames in `form`, and the relay's end of it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn bind_relay(
        &self,
        addr: SocketAddr,
        form: Form,
    ) -> Result<(FlashblockServer, RelayPublisher), OutletError> {
        let config = self.config(addr)?;
        FlashblockServer::bind_relay(config, form)
            .await
            .map_err(refused)
    }

    /// What concerns subscribers alone.
    fn config(&self, addr: SocketAddr) -> Result<StreamConfig, OutletError> {
        let mut config = StreamConfig::new(addr);
        config.limits.subscribers_max = self.subscribers_max;
        config.limits.subscribers_per_address_max = self.subscribers_per_address_max;
        config.limits.subscribers_per_key_max = self.subscribers_per_key_max;
        config.ring = self.ring.clone();
        config.api_keys.clone_from(&self.api_keys);
        config.tls = self.tls.identity(TLS)?;
        Ok(config)
    }

    fn signer(&self) -> Result<Option<Arc<dyn Signer>>, OutletError> {
        let Some(signer) = self.sign_key.signer(SIGN_KEY)? else {
            return Ok(None);
        };
        tracing::info!(signer = %signer.address(), "flashblocks are signed");
        Ok(Some(Arc::new(signer)))
    }
}

const SIGN_KEY: KeyFlags = KeyFlags {
    file: "--flashblocks.sign-key",
    password_file: "--flashblocks.sign-key-password-file",
    hex: "--flashblocks.sign-key-hex",
};

const TLS: TlsFlags = TlsFlags {
    cert: "--flashblocks.tls-cert",
    key: "--flashblocks.tls-key",
};

fn refused(error: StreamError) -> OutletError {
    match error {
        StreamError::ApiKey { .. } => OutletError::flag("--flashblocks.api-key", &error),
        StreamError::ZeroLimit {
            field: "subscribers_per_key_max",
        } => OutletError::flag("--flashblocks.max-per-key", &error),
        StreamError::ZeroLimit { field: "ring.age" } => {
            OutletError::flag("--flashblocks.ring-time", &error)
        }
        StreamError::ZeroLimit {
            field: "ring.frames_max",
        } => OutletError::flag("--flashblocks.ring-frames", &error),
        StreamError::ZeroLimit {
            field: "ring.size_bytes_max",
        } => OutletError::flag("--flashblocks.ring-size", &error),
        other => OutletError::start("flashblocks", other),
    }
}
