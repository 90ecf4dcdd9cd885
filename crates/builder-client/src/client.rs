//! Asking a builder.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use blockwright_builder_codec::{PayloadRequest, signing_digest};
use blockwright_signer::{Signature, Signer};
use blockwright_trust::{TlsTrust, with_remedy};
use blockwright_types::error_chain;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::offer::Parties;
use crate::url::BuilderUrl;
use crate::{Answer, ClientError, Offer, Wanted};

/// No block is longer: gas for 60 million bytes of calldata, in hex.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// Of a refusal no more is repeated, in characters.
const MESSAGE_CHARS_MAX: usize = 200;

/// Whom to ask, and as whom.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `http[s]://[ADDRESS@]host:port`. With an address only that builder's signature counts.
    pub url: String,
    /// The builder whose signature counts; in place of the URL's user part.
    pub builder: Option<Address>,
    /// Chain id.
    pub chain_id: u64,
    /// Signs requests; without one the builder must be one that answers everybody.
    pub key: Option<Arc<dyn Signer>>,
    /// Time for everything, from connecting to the answer's last byte.
    pub timeout: Duration,
    /// PEM file of certificate authorities beside the system's.
    pub ca: Option<PathBuf>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:28545".to_owned(),
            builder: None,
            chain_id: 0,
            key: None,
            timeout: Duration::from_millis(500),
            ca: None,
        }
    }
}

/// Asks one builder over connections that stay open. Clones share them.
#[derive(Clone)]
pub struct BuilderClient {
    url: BuilderUrl,
    parties: Parties,
    key: Option<Arc<dyn Signer>>,
    timeout: Duration,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl BuilderClient {
    /// A client; connects at the first request.
    ///
    /// # Errors
    /// [`ClientError::Url`] and [`ClientError::Certificates`].
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let url = BuilderUrl::parse(&config.url)?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(TlsTrust::load(config.ca.as_deref())?.client_config())
            .https_or_http()
            .enable_http1()
            .build();
        let parties = Parties {
            chain_id: config.chain_id,
            builder: config.builder.or(url.builder),
            proposer: config.key.as_ref().map(|key| key.address()),
        };
        Ok(Self {
            url,
            parties,
            key: config.key,
            timeout: config.timeout,
            http: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// The builder whose signature counts; `None` where anybody's does.
    pub const fn builder(&self) -> Option<Address> {
        self.parties.builder
    }

    /// Asks for a block and checks the answer.
    ///
    /// # Errors
    /// [`ClientError`]: there is no answer, a refusal, or one that is not to be believed.
    pub async fn offer(&self, wanted: &Wanted) -> Result<Offer, ClientError> {
        wanted.check()?;
        let answer = tokio::time::timeout(self.timeout, async {
            let body = self.request(wanted).await?;
            self.ask(body).await
        });
        let answer = answer
            .await
            .map_err(|_| ClientError::TooLate(self.timeout.as_millis()))??;
        let answer = Answer::from_json(&answer)?;
        Ok(Offer::of(answer, wanted, self.parties)?)
    }

    async fn request(&self, wanted: &Wanted) -> Result<String, ClientError> {
        let message = wanted.message();
        let digest = signing_digest(self.parties.chain_id, &message);
        let signature = match self.key.clone() {
            // The key may be somewhere else, and its holder slow.
            Some(key) => tokio::task::spawn_blocking(move || key.sign(digest))
                .await
                .map_err(|_| ClientError::Panicked)??,
            None => Signature::ZERO,
        };
        Ok(PayloadRequest { message, signature }.to_json())
    }

    async fn ask(&self, body: String) -> Result<Bytes, ClientError> {
        let unreachable = |error: &dyn core::error::Error| {
            ClientError::Unreachable(with_remedy(error_chain(error)))
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.url.endpoint.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|error| unreachable(&error))?;
        let response = self.http.request(request).await;
        let (head, body) = response.map_err(|error| unreachable(&error))?.into_parts();
        // Who announces too much need not be listened to.
        if body.size_hint().lower() > ANSWER_BYTES_MAX as u64 {
            return Err(ClientError::TooLong(ANSWER_BYTES_MAX));
        }
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                ClientError::TooLong(ANSWER_BYTES_MAX)
            } else {
                unreachable(error.as_ref())
            }
        })?;
        let body = body.to_bytes();
        if head.status == StatusCode::OK {
            return Ok(body);
        }
        Err(ClientError::Refused {
            status: head.status.as_u16(),
            message: message(&body),
        })
    }
}

/// What a refusal says, without control characters: it goes to terminals and logs.
fn message(body: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let said = json.and_then(|json| json.get("message")?.as_str().map(str::to_owned));
    let text = said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    text.chars()
        .filter(|c| !c.is_control())
        .take(MESSAGE_CHARS_MAX)
        .collect()
}

impl core::fmt::Debug for BuilderClient {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BuilderClient")
            .field("endpoint", &self.url.endpoint)
            .field("builder", &self.parties.builder)
            .finish_non_exhaustive()
    }
}
