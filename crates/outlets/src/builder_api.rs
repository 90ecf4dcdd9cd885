//! The builder API's settings, and its start.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use blockwright_attributes::AttributesUrl;
use blockwright_builder_api::{
    BuilderApiError, DeskConfig, NotReleased, PayloadDesk, PayloadServer, PayloadServerConfig,
    PayloadSource, Released, ServerLimits,
};
use blockwright_builder_codec::{ChainDomain, VersionNames};
use blockwright_requests::{ReleasedBlock, Requests};
use blockwright_seams::Host;
use blockwright_service::ReleaseError;
use blockwright_signer::{BlsPublicKey, LocalSigner, SecretText, Signer};
use blockwright_threads::Priority;
use tokio::task::JoinHandle;

use crate::key_source::KeyFlags;
use crate::server_runtime::ServerRuntime;
use crate::tls_files::TlsFlags;
use crate::{KeySource, Listen, OutletError, TlsFiles};

/// The port by convention.
const PORT: u16 = 28_545;
/// That of the attributes stream.
const EVENTS_PORT: u16 = 9_546;

const SECP_KEY: KeyFlags = KeyFlags {
    file: "--builder-api.secp-key",
    password_file: "--builder-api.secp-key-password-file",
    hex: "--builder-api.secp-key-hex",
};

pub(crate) const TLS: TlsFlags = TlsFlags {
    cert: "--builder-api.tls-cert",
    key: "--builder-api.tls-key",
};

/// The builder API's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderApiSettings {
    /// Interface to listen on.
    pub addr: IpAddr,
    /// Port, 0 for a free one; `None` is 28545 on a development chain, and elsewhere no builder API.
    pub port: Option<u16>,
    /// The key that signs bids.
    pub secp_key: KeySource,
    /// Who may have payloads; empty for anybody.
    pub proposers: Vec<Address>,
    /// The key that signs headers.
    pub bls_key: KeySource,
    /// Who may register a fee recipient and have headers; empty for anybody, unless `proposers` are listed.
    pub bls_proposers: Vec<BlsPublicKey>,
    /// The domains of BLS signatures.
    pub domain: ChainDomain,
    /// Names of payload versions.
    pub version_names: VersionNames,
    /// Requests a second from one address.
    pub requests_per_second_max: u32,
    /// With a certificate the API and the attributes stream are served by TLS.
    pub tls: TlsFiles,
    /// Port of the attributes stream, 0 for a free one; `None` is 9546 on a development chain, and
    /// elsewhere no such stream.
    pub events_port: Option<u16>,
    /// Attributes streams to build by.
    pub attributes_urls: Vec<AttributesUrl>,
    /// PEM file of certificate authorities that `https://` streams are checked against beside the system's.
    pub attributes_ca: Option<PathBuf>,
    /// Whether `engine_getPayload` answers as if it knew no payload, so that no consensus client of ours
    /// publishes a block that is for proposers.
    pub withholds_payloads: bool,
    /// The key, known to everybody, that signs bids where none is given, as does another one headers; `None`
    /// but on a development chain.
    pub well_known_key: Option<SecretText>,
}

impl Default for BuilderApiSettings {
    fn default() -> Self {
        Self {
            addr: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            secp_key: KeySource::default(),
            proposers: Vec::new(),
            bls_key: KeySource::default(),
            bls_proposers: Vec::new(),
            domain: ChainDomain::default(),
            version_names: VersionNames::default(),
            requests_per_second_max: ServerLimits::default().requests_per_second_max,
            tls: TlsFiles::default(),
            events_port: None,
            attributes_urls: Vec::new(),
            attributes_ca: None,
            withholds_payloads: false,
            well_known_key: None,
        }
    }
}

/// A builder API that listens.
pub(crate) struct BuilderApi {
    pub(crate) addr: SocketAddr,
    pub(crate) serving: JoinHandle<()>,
    /// Dropped last: the listener lives on it.
    pub(crate) runtime: ServerRuntime,
}

impl BuilderApiSettings {
    /// As they are for a development chain, on which everybody knows `key`.
    #[must_use]
    pub fn for_development(self, key: SecretText) -> Self {
        Self {
            port: self.port.or(Some(PORT)),
            events_port: self.events_port.or(Some(EVENTS_PORT)),
            well_known_key: Some(key),
            ..self
        }
    }

    /// Whether blocks are for listed proposers alone, whichever their keys.
    pub(crate) const fn lists_proposers(&self) -> bool {
        !self.proposers.is_empty() || !self.bls_proposers.is_empty()
    }

    /// Who answers requests for payloads; `None` where there is no key to sign bids with.
    pub(crate) fn desk<H: Host>(
        &self,
        requests: &Requests<H>,
    ) -> Result<Option<Arc<PayloadDesk>>, OutletError> {
        let Some(signer) = self.signer()? else {
            return Ok(None);
        };
        let config = DeskConfig {
            chain_id: requests.chain().chain_id(),
            proposers: self.proposers.clone(),
            version_names: self.version_names,
            signer,
        };
        let source = Arc::new(Built(requests.clone()));
        Ok(Some(Arc::new(PayloadDesk::new(config, source))))
    }

    /// Serves what `desk` hands out until `ended` is ready; `None` where nobody asked for it.
    pub(crate) async fn start(
        &self,
        desk: Option<Arc<PayloadDesk>>,
        ended: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Option<BuilderApi>, OutletError> {
        let Some(port) = self.port else {
            return Ok(None);
        };
        let (addr, port) = (self.addr, port);
        let config = PayloadServerConfig {
            addr: Listen { addr, port }.socket(),
            limits: ServerLimits {
                requests_per_second_max: self.requests_per_second_max,
                ..ServerLimits::default()
            },
            tls: self.tls.identity(TLS)?,
        };
        let desk = desk.ok_or_else(|| {
            let reason = "it is missing: the builder API signs every bid";
            OutletError::flag(SECP_KEY.file, &reason)
        })?;
        if self.proposers.is_empty() {
            tracing::warn!(
                "without --builder-api.proposer everybody who reaches the builder API gets its payloads"
            );
        }
        let runtime = ServerRuntime::start("builder-api", Priority::Answers)?;
        let bind = async move { PayloadServer::bind(config, desk).await.map_err(refused) };
        let server = runtime.run(bind).await?;
        Ok(Some(BuilderApi {
            addr: server.local_addr(),
            serving: runtime.spawn(server.run_until(ended)),
            runtime,
        }))
    }

    fn signer(&self) -> Result<Option<Arc<dyn Signer>>, OutletError> {
        let signer = match (self.secp_key.signer(SECP_KEY)?, &self.well_known_key) {
            (Some(signer), _) => signer,
            (None, Some(key)) => well_known_signer(key)?,
            (None, None) => return Ok(None),
        };
        tracing::info!(builder = %signer.address(), "bids are signed");
        Ok(Some(Arc::new(signer)))
    }
}

fn well_known_signer(key: &SecretText) -> Result<LocalSigner, OutletError> {
    tracing::warn!(
        "bids are signed with a development account's key, which everybody knows: --builder-api.secp-key gives another"
    );
    LocalSigner::from_hex(key).map_err(|error| OutletError::flag(SECP_KEY.file, &error))
}

fn refused(error: BuilderApiError) -> OutletError {
    match error {
        BuilderApiError::Bind { addr, source } => OutletError::Listen {
            server: "builder-api",
            addr,
            source,
        },
    }
}

/// What our builder builds.
struct Built<H: Host>(Requests<H>);

impl<H: Host> PayloadSource for Built<H> {
    fn release(&self, parent_hash: B256, number: u64) -> Result<Released, NotReleased> {
        match self.0.release(parent_hash, number) {
            Ok(ReleasedBlock {
                block,
                parent_fork,
                payload_json,
            }) => Ok(Released {
                block,
                parent_fork,
                payload_json,
            }),
            Err(ReleaseError::Nothing(_)) => Err(NotReleased::NothingBuilt),
            Err(ReleaseError::OtherNumber { number, .. }) => Err(NotReleased::OtherNumber(number)),
            Err(ReleaseError::NotReady(_)) => Err(NotReleased::NotReady),
        }
    }

    fn is_at_hand(&self, parent_hash: B256) -> bool {
        !self.0.release_takes_time(parent_hash)
    }
}
