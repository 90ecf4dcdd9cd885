//! What the node has for proposers and for other builders.

use std::net::SocketAddr;
use std::sync::Arc;

use blockwright_builder_api::PayloadDesk;
use blockwright_engine::Engine;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::builder_api::BuilderApi;
use crate::node::{ended, ended_cleanly};
use crate::server_runtime::ServerRuntime;
use crate::{Bound, BuilderApiSettings, LaunchError};

/// The builder API and both ends of the attributes stream, as far as they were asked for.
pub(crate) struct ProposerOutlets {
    api: Option<BuilderApi>,
    events: Option<SocketAddr>,
    is_tls: bool,
    tasks: Vec<JoinHandle<()>>,
}

impl ProposerOutlets {
    /// Everything runs until `stopped` says so; `payloads` hands them out, the attributes stream is served on `streaming`.
    pub(crate) async fn start(
        settings: &BuilderApiSettings,
        payloads: Option<Arc<PayloadDesk>>,
        engine: &Engine,
        streaming: &ServerRuntime,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, LaunchError> {
        let api = settings.start(payloads, ended(stopped.clone())).await?;
        let events = settings.start_events(engine, streaming, &stopped).await?;
        let following = settings.follow(engine, &stopped)?;
        let (events, serving) = events.map(|events| (events.addr, events.tasks)).unzip();
        Ok(Self {
            api,
            events,
            is_tls: settings.tls.is_given(),
            tasks: serving.into_iter().flatten().chain(following).collect(),
        })
    }

    /// What listens, with these.
    pub(crate) fn bound(&self, others: Bound) -> Bound {
        Bound {
            builder_api: self.api.as_ref().map(|api| api.addr),
            builder_api_tls: self.is_tls,
            builder_events: self.events,
            ..others
        }
    }

    /// Waits for the end of everything.
    pub(crate) async fn ended(self) {
        // The runtime ends after what runs on it.
        let (serving, _runtime) = self.api.map(|api| (api.serving, api.runtime)).unzip();
        for task in self.tasks.into_iter().chain(serving) {
            ended_cleanly(task).await;
        }
    }
}
