//! The stream of payload attributes: what our engine was given goes out, what others were given comes in.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use blockwright_attributes::{
    AttributesClient, AttributesError, AttributesEvent, AttributesFeed, AttributesServer,
    BuildFuture, BuildOutcome, BuildTarget, ClientConfig, EventServerConfig, SubscriberLimits,
};
use blockwright_requests::{GivenAttributes, Requests, Streamed};
use blockwright_seams::Host;
use blockwright_trust::TlsTrust;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::builder_api::TLS;
use crate::ending::ended;
use crate::server_runtime::ServerRuntime;
use crate::{BuilderApiSettings, Listen, OutletError};

const URL: &str = "--builder-api.attributes-url";
const CA: &str = "--builder-api.attributes-ca";

/// How long an event's parent may take to come: the block is on its way already when its successor is
/// asked for.
const PARENT_PATIENCE: Duration = Duration::from_secs(2);

/// A server of the stream that listens.
pub(crate) struct Events {
    pub(crate) addr: SocketAddr,
    pub(crate) tasks: [JoinHandle<()>; 2],
}

impl BuilderApiSettings {
    /// Serves what the consensus client asks for, on `runtime`; `None` where nobody asked for it.
    pub(crate) async fn start_events<H: Host>(
        &self,
        requests: &Requests<H>,
        runtime: &ServerRuntime,
        stopped: &watch::Receiver<bool>,
    ) -> Result<Option<Events>, OutletError> {
        let Some(port) = self.events_port else {
            return Ok(None);
        };
        let addr = self.addr;
        let config = EventServerConfig {
            addr: Listen { addr, port }.socket(),
            limits: SubscriberLimits::default(),
            // One certificate for whoever deals with builders.
            tls: self.tls.identity(TLS)?,
        };
        let bind = async move { AttributesServer::bind(config).await.map_err(refused) };
        let (server, feed) = runtime.run(bind).await?;
        let addr = server.local_addr();
        let publishing = publish(requests.given(), feed, ended(stopped.clone()));
        let tasks = [
            runtime.spawn(server.run_until(ended(stopped.clone()))),
            runtime.spawn(publishing),
        ];
        Ok(Some(Events { addr, tasks }))
    }

    /// Builds by the streams given, on the runtime of the caller; `None` where there are none.
    pub(crate) fn follow<H: Host>(
        &self,
        requests: &Requests<H>,
        stopped: &watch::Receiver<bool>,
    ) -> Result<Option<JoinHandle<()>>, OutletError> {
        let ca = self.attributes_ca.as_deref();
        if self.attributes_urls.is_empty() {
            return match ca {
                Some(_) => Err(OutletError::flag(
                    CA,
                    &format!("there is no {URL} that it is for"),
                )),
                None => Ok(None),
            };
        }
        let trust = ca.map(|path| TlsTrust::load(Some(path))).transpose();
        let config = ClientConfig {
            trust: trust.map_err(|error| OutletError::flag(CA, &error))?,
            ..ClientConfig::new(self.attributes_urls.clone())
        };
        let target = Arc::new(Builds(requests.clone()));
        let client = AttributesClient::new(config, target).map_err(refused)?;
        let following = client.run_until(ended(stopped.clone()));
        Ok(Some(tokio::spawn(following)))
    }
}

/// Publishes what is given until `ended` is ready.
fn publish(
    mut given: Receiver<Arc<GivenAttributes>>,
    feed: AttributesFeed,
    ended: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let publishing = async move {
        loop {
            match given.recv().await {
                Ok(attributes) => {
                    let feed = feed.clone();
                    // Forced transactions may be many, and each is decoded and hashed.
                    let writing =
                        tokio::task::spawn_blocking(move || feed.publish(&event(&attributes)));
                    if let Err(error) = writing.await {
                        tracing::error!(%error, "publishing payload attributes panicked");
                    }
                }
                Err(RecvError::Lagged(count)) => {
                    feed.lost(count);
                    tracing::warn!(
                        count,
                        "payload attributes come faster than they are published"
                    );
                }
                Err(RecvError::Closed) => return,
            }
        }
    };
    async move {
        tokio::select! {
            () = ended => {}
            () = publishing => {}
        }
    }
}

fn event(given: &GivenAttributes) -> AttributesEvent {
    AttributesEvent {
        slot: given.number,
        parent_hash: given.parent_hash,
        attributes: (*given.attributes).clone(),
    }
}

/// Our builder builds.
struct Builds<H: Host>(Requests<H>);

impl<H: Host> BuildTarget for Builds<H> {
    fn build(&self, event: Arc<AttributesEvent>) -> BuildFuture {
        let requests = self.0.clone();
        Box::pin(async move {
            let asked = GivenAttributes {
                parent_hash: event.parent_hash,
                number: event.slot,
                attributes: Arc::new(event.attributes.clone()),
            };
            match requests.build_streamed(asked, PARENT_PATIENCE).await {
                Ok(Streamed::Started(id)) => BuildOutcome::Started(id),
                Ok(Streamed::Overruled) => BuildOutcome::Overruled,
                Ok(Streamed::UnknownParent) => BuildOutcome::UnknownParent,
                Err(error) => BuildOutcome::Refused(error.to_string()),
            }
        })
    }
}

fn refused(error: AttributesError) -> OutletError {
    match error {
        AttributesError::Bind { addr, source } => OutletError::Listen {
            server: "builder-api.events",
            addr,
            source,
        },
        AttributesError::Url(_) | AttributesError::Twice(_) => OutletError::flag(URL, &error),
        AttributesError::Trust(_) => OutletError::flag(CA, &error),
    }
}
