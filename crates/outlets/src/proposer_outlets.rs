//! What the node has for proposers and for other builders.

use std::net::SocketAddr;
use std::sync::Arc;

use blockwright_builder_api::PayloadDesk;
use blockwright_requests::Requests;
use blockwright_seams::Host;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::builder_api::BuilderApi;
use crate::ending::{ended, ended_cleanly};
use crate::server_runtime::ServerRuntime;
use crate::{BuilderApiSettings, OutletError};

/// The builder API and both ends of the attributes stream, as far as they were asked for.
pub struct ProposerOutlets {
    api: Option<BuilderApi>,
    events: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl ProposerOutlets {
    /// Everything runs until `stopped` says so; `payloads` hands them out, the attributes stream is served on
    /// `streaming`, and others are followed on the caller's runtime.
    ///
    /// # Errors
    /// [`OutletError`] naming the flag at fault or what cannot listen.
    pub async fn start<H: Host>(
        settings: &BuilderApiSettings,
        payloads: Option<Arc<PayloadDesk>>,
        requests: &Requests<H>,
        streaming: &ServerRuntime,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, OutletError> {
        let api = settings.start(payloads, ended(stopped.clone())).await?;
        let events = settings.start_events(requests, streaming, &stopped).await?;
        let following = settings.follow(requests, &stopped)?;
        let (events, serving) = events.map(|events| (events.addr, events.tasks)).unzip();
        Ok(Self {
            api,
            events,
            tasks: serving.into_iter().flatten().chain(following).collect(),
        })
    }

    /// Where the builder API listens, if it does.
    pub fn builder_api(&self) -> Option<SocketAddr> {
        self.api.as_ref().map(|api| api.addr)
    }

    /// Where the attributes stream is served, if it is.
    pub const fn events(&self) -> Option<SocketAddr> {
        self.events
    }

    /// Waits for the end of everything.
    pub async fn ended(self) {
        // The runtime ends after what runs on it.
        let (serving, _runtime) = self.api.map(|api| (api.serving, api.runtime)).unzip();
        for task in self.tasks.into_iter().chain(serving) {
            ended_cleanly(task).await;
        }
    }
}
