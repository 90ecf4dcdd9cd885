//! The service: one loop that starts jobs.

use std::sync::Arc;
use std::thread::JoinHandle;

use blockwright_core::{ConfigError, RootsRule};
use blockwright_seams::{Clock, FlashblockSink, Host};
use blockwright_types::{BuildRequest, StopReason};
use tokio::sync::mpsc;

use crate::completion::Completer;
use crate::handle::Message;
use crate::ledger::{Ledger, Subject};
use crate::mailbox::Mailbox;
use crate::shared::Shared;
use crate::table::{Retained, stop_all};
use crate::worker::Worker;
use crate::{BuilderHandle, ServiceConfig, StartError, metrics};

type Started<A> = Result<Arc<Ledger<A>>, StartError>;

/// Starts jobs, one worker thread each, and ends them at shutdown.
pub struct BuilderService<H: Host> {
    host: H,
    messages: mpsc::Receiver<Message<H::Artifact>>,
    shared: Arc<Shared<H::Artifact>>,
    threads: Vec<JoinHandle<()>>,
    sequence: u64,
}

impl<H: Host> BuilderService<H> {
    /// A service with the first of its handles; nothing happens before [`Self::run`].
    pub fn new(
        config: ServiceConfig,
        host: H,
        sink: Arc<dyn FlashblockSink>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, BuilderHandle<H>), ConfigError> {
        let config = config.checked()?;
        let (sender, messages) = mpsc::channel(config.starts_waiting_max);
        let shared = Arc::new(Shared::new(config, sink, clock));
        let handle = BuilderHandle::new(sender, Arc::clone(&shared));
        let service = Self {
            host,
            messages,
            shared,
            threads: Vec::new(),
            sequence: 0,
        };
        Ok((service, handle))
    }

    /// Serves until [`BuilderHandle::shutdown`] or until all handles are gone, then ends all jobs.
    pub async fn run(mut self) {
        while self.step().await {}
        self.messages.close();
        let live = self.shared.table.lock().older(u64::MAX);
        stop_all(&live, StopReason::Shutdown);
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                // A worker catches its own panics.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }

    /// Handles one message; `false` once there is nothing more to do.
    pub async fn step(&mut self) -> bool {
        match self.messages.recv().await {
            Some(Message::Start { request, reply }) => {
                let started = self.handle_start(request);
                if started.is_err() {
                    metrics::start_refused();
                }
                // The caller may have gone away; the job goes on.
                let _ = reply.send(started);
                true
            }
            Some(Message::Shutdown) | None => false,
        }
    }

    fn handle_start(&mut self, request: Box<BuildRequest>) -> Started<H::Artifact> {
        let known = self.shared.table.lock().get(request.id);
        if let Some(ledger) = known {
            return Ok(ledger);
        }
        self.threads.retain(|thread| !thread.is_finished());
        let config = &self.shared.config;
        if self.shared.table.lock().live() >= config.jobs_live_max {
            return Err(StartError::Busy("too many payloads are being built"));
        }
        self.sequence += 1;
        let (bell, mailbox) = Mailbox::new();
        self.shared.clock.on_jump(bell.as_wake());
        let sink = Arc::clone(&self.shared.sink);
        let parent = request.context.parent_hash;
        let is_fed = config.job.roots == RootsRule::None;
        let completer = Arc::new(Completer::new(self.host.clone(), parent, is_fed));
        let ledger = Arc::new(Ledger::new(
            Subject::of(&request),
            self.sequence,
            bell,
            sink,
            completer,
        ));
        let retained = Retained {
            count_max: config.payloads_retained_max,
            size_bytes_max: config.payloads_retained_bytes_max,
        };
        let name = format!("build-{}", request.context.number);
        let worker = Worker {
            host: self.host.clone(),
            request: *request,
            shared: Arc::clone(&self.shared),
            ledger: Arc::clone(&ledger),
            mailbox,
        };
        let table = &self.shared.table;
        let forgotten = table.lock().insert(Arc::clone(&ledger), retained);
        if !forgotten.is_empty() {
            tokio::task::spawn_blocking(move || drop(forgotten));
        }
        match std::thread::Builder::new()
            .name(name)
            .spawn(|| worker.run())
        {
            Ok(thread) => self.threads.push(thread),
            Err(error) => {
                table.lock().remove(ledger.sequence);
                return Err(StartError::Thread(Arc::new(error)));
            }
        }
        self.shared.newest.send_replace(Some(ledger.id));
        Ok(ledger)
    }
}
