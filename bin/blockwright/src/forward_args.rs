//! The flags that say where transactions go and come from.

use std::convert::Infallible;
use std::time::Duration;

use blockwright_flags::duration;
use blockwright_launch::{ForwardSettings, Source, TargetUrl};
use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Forwarding")]
pub(crate) struct ForwardArgs {
    /// The sequencer's JSON-RPC server, http:// or https://. A transaction is handed to it first; what
    /// it refuses is refused here with its words, what it takes is pooled here as well.
    #[arg(long = "rollup.sequencer-http", env = "BLOCKWRIGHT_ROLLUP_SEQUENCER_HTTP",
          hide_env_values = true, value_name = "URL", value_parser = target)]
    sequencer_http: Option<TargetUrl>,
    /// How long the sequencer may take to answer, repeated attempts to reach it included.
    #[arg(long = "rollup.sequencer-timeout", env = "BLOCKWRIGHT_ROLLUP_SEQUENCER_TIMEOUT",
          default_value = "5s", value_name = "TIME", value_parser = duration::milliseconds)]
    sequencer_timeout: Duration,
    /// JSON-RPC server of a builder that gets a copy of every transaction accepted here; may be
    /// repeated, separated by commas, or in the file a list. Nobody waits for it.
    #[arg(long = "txpool.forward", env = "BLOCKWRIGHT_TXPOOL_FORWARD",
          hide_env_values = true, value_name = "URL", value_delimiter = ',', value_parser = target)]
    forward: Vec<TargetUrl>,
    /// Most transactions that wait for one of these; beyond it the oldest are dropped.
    #[arg(long = "txpool.forward-queue", env = "BLOCKWRIGHT_TXPOOL_FORWARD_QUEUE",
          default_value_t = ForwardSettings::default().queue_count_max, value_name = "N")]
    forward_queue: usize,
    /// Most transactions in one JSON-RPC batch to another node.
    #[arg(long = "txpool.forward-batch", env = "BLOCKWRIGHT_TXPOOL_FORWARD_BATCH",
          default_value_t = ForwardSettings::default().batch_max, value_name = "N")]
    forward_batch: usize,
    /// Address or network (10.0.0.0/8) that transactions are taken from over HTTP and WebSocket, or none;
    /// may be repeated, separated by commas, or in the file a list (default: everybody may send).
    #[arg(
        long = "txpool.sources",
        env = "BLOCKWRIGHT_TXPOOL_SOURCES",
        value_name = "NETWORK",
        value_delimiter = ','
    )]
    sources: Vec<Source>,
}

/// Takes any text: what is wrong with a URL is said without repeating it, which this parser's errors
/// would do, keys in it included.
#[allow(clippy::unnecessary_wraps)]
fn target(text: &str) -> Result<TargetUrl, Infallible> {
    Ok(TargetUrl::new(text))
}

impl ForwardArgs {
    /// The settings.
    pub(crate) fn settings(self) -> ForwardSettings {
        ForwardSettings {
            sequencer_http: self.sequencer_http,
            sequencer_timeout: self.sequencer_timeout,
            targets: self.forward,
            queue_count_max: self.forward_queue,
            batch_max: self.forward_batch,
            sources: self.sources,
        }
    }
}
