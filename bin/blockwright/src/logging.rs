//! Where log lines go.

use std::io::IsTerminal;

use eyre::WrapErr;
use tracing_subscriber::EnvFilter;

use crate::process_args::ProcessArgs;

/// How the process talks to whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// JSON log lines on standard output.
    Json,
    /// Plain log lines on standard error.
    Text,
    /// A banner and a line a block on standard output; warnings on standard error.
    Calm,
}

/// Installs a subscriber that shows warnings on standard error.
pub(crate) fn init_warnings() -> eyre::Result<()> {
    let filter = EnvFilter::try_new("warn").wrap_err("log filter")?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

/// Installs the log subscriber.
pub(crate) fn init(args: &ProcessArgs, voice: Voice) -> eyre::Result<()> {
    let default = if voice == Voice::Calm { "warn" } else { "info" };
    let filter = args.log_filter.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter)
        .wrap_err_with(|| format!("--log.filter {filter:?} is not a log filter"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    match voice {
        Voice::Json => builder.json().with_writer(std::io::stdout).init(),
        Voice::Text | Voice::Calm => builder.with_writer(std::io::stderr).init(),
    }
    Ok(())
}
