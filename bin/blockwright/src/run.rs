//! The async runtime and the signals that end it.

use std::future::Future;

use eyre::WrapErr;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs `future` on a fresh runtime.
pub(crate) fn block_on(future: impl Future<Output = eyre::Result<()>>) -> eyre::Result<()> {
    on(&mut Builder::new_multi_thread(), future)
}

/// Runs `future` on a fresh runtime with `workers` threads beside this one.
pub(crate) fn block_on_workers(
    workers: usize,
    future: impl Future<Output = eyre::Result<()>>,
) -> eyre::Result<()> {
    on(Builder::new_multi_thread().worker_threads(workers), future)
}

fn on(runtime: &mut Builder, future: impl Future<Output = eyre::Result<()>>) -> eyre::Result<()> {
    runtime
        .enable_all()
        .build()
        .wrap_err("async runtime")?
        .block_on(Box::pin(future))
}

/// The signals that ask the process to end. Made before anything is started: a signal that comes
/// while the node starts ends it as cleanly as a later one.
pub(crate) struct ShutdownSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl ShutdownSignals {
    /// Installs the handlers.
    pub(crate) fn new() -> eyre::Result<Self> {
        let handler = |kind| signal(kind).wrap_err("signal handler");
        Ok(Self {
            interrupt: handler(SignalKind::interrupt())?,
            terminate: handler(SignalKind::terminate())?,
            hangup: handler(SignalKind::hangup())?,
        })
    }

    /// Resolves at SIGINT, SIGTERM or SIGHUP (a closed terminal).
    pub(crate) async fn received(&mut self) {
        let name = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        };
        tracing::info!(signal = name, "asked to stop");
    }
}
