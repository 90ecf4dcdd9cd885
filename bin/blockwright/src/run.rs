//! The async runtime and the signals that end it.

use std::future::Future;

use eyre::WrapErr;
use tokio::signal::unix::{SignalKind, signal};

/// Runs `future` on a fresh runtime.
pub(crate) fn block_on(future: impl Future<Output = eyre::Result<()>>) -> eyre::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .wrap_err("async runtime")?
        .block_on(Box::pin(future))
}

/// Resolves at SIGINT or SIGTERM.
pub(crate) async fn shutdown_signal() -> eyre::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).wrap_err("SIGINT handler")?;
    let mut terminate = signal(SignalKind::terminate()).wrap_err("SIGTERM handler")?;
    tokio::select! {
        _ = interrupt.recv() => tracing::info!("interrupted"),
        _ = terminate.recv() => tracing::info!("asked to terminate"),
    }
    Ok(())
}
