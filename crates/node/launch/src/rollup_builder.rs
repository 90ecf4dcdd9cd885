//! The builder that a proposer's node asks for blocks.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use blockwright_builder_client::{BuilderClient, ClientConfig, ClientError, Offer, Wanted};
use blockwright_engine::{ExecutionPayload, NotTaken, Rival, RivalOffer, RivalWanted};
use blockwright_outlets::{KeyFlags, KeySource};
use blockwright_signer::Signer;
use tokio::runtime::Handle;

use crate::LaunchError;
use crate::error::flag;

const URL: &str = "--rollup.builder-url";
const KEY: KeyFlags = KeyFlags {
    file: "--rollup.builder-key",
    password_file: "--rollup.builder-key-password-file",
    hex: "--rollup.builder-key-hex",
};

/// The builder that is asked for blocks; none without a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupBuilderSettings {
    /// `http[s]://[ADDRESS@]host:port`; with an address only that builder's signature counts.
    pub url: Option<String>,
    /// How long `engine_getPayload` may take for its sake.
    pub timeout: Duration,
    /// Signs requests; without it the builder must answer everybody.
    pub key: KeySource,
}

impl Default for RollupBuilderSettings {
    fn default() -> Self {
        Self {
            url: None,
            timeout: Duration::from_millis(300),
            key: KeySource::default(),
        }
    }
}

impl RollupBuilderSettings {
    /// The builder to ask on this chain.
    ///
    /// # Errors
    /// [`LaunchError::Outlet`] naming the flag at fault.
    pub(crate) fn rival(&self, chain_id: u64) -> Result<Option<Arc<dyn Rival>>, LaunchError> {
        let key = self.key.signer(KEY)?;
        let Some(url) = &self.url else {
            return match key {
                Some(_) => Err(flag(KEY.file, &format!("there is no {URL} to ask"))),
                None => Ok(None),
            };
        };
        let key = key.map(|key| Arc::new(key) as Arc<dyn Signer>);
        let client = BuilderClient::new(ClientConfig {
            url: url.clone(),
            chain_id,
            key,
            timeout: self.timeout,
            ..ClientConfig::default()
        });
        let client = client.map_err(|error| flag(URL, &error))?;
        match client.builder() {
            Some(builder) => tracing::info!(%builder, "a builder is asked for blocks"),
            None => tracing::warn!(
                "a builder is asked for blocks, whose address {URL} does not name: anybody may answer in its place"
            ),
        }
        let timeout = self.timeout;
        Ok(Some(Arc::new(Asking { client, timeout })))
    }
}

struct Asking {
    client: BuilderClient,
    timeout: Duration,
}

impl Rival for Asking {
    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn ask(&self, wanted: &RivalWanted) -> Result<Box<dyn RivalOffer>, NotTaken> {
        let wanted = Wanted {
            slot: wanted.number,
            parent_hash: wanted.parent_hash,
            fork: wanted.fork,
            parent_beacon_block_root: wanted.parent_beacon_block_root,
        };
        // What is computed of the answer keeps this thread busy and no other.
        match Handle::current().block_on(self.client.offer(&wanted)) {
            Ok(offer) => Ok(Box::new(Offered(offer))),
            Err(error) => Err(NotTaken::new(reason(&error), &error)),
        }
    }
}

const fn reason(error: &ClientError) -> &'static str {
    match error {
        ClientError::TooLate(_) => "too_late",
        ClientError::Unreachable(_) => "unreachable",
        ClientError::Refused { .. } => "refused",
        ClientError::Lie(_) | ClientError::TooLong(_) => "lie",
        ClientError::Url { .. }
        | ClientError::Certificates(_)
        | ClientError::Unsigned(_)
        | ClientError::BeaconRoot { .. }
        | ClientError::Panicked => "fault",
    }
}

struct Offered(Offer);

impl RivalOffer for Offered {
    fn payload(&self) -> &ExecutionPayload {
        &self.0.payload
    }

    fn value(&self) -> U256 {
        self.0.bid.value
    }

    fn check_against(&self, local: &ExecutionPayload) -> Result<(), NotTaken> {
        let checked = self.0.check_against(local);
        checked.map_err(|lie| NotTaken::new("lie", &lie))
    }
}
