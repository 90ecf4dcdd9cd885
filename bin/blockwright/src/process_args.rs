//! The flags of every verb that serves something.

use std::net::IpAddr;
use std::path::PathBuf;

use blockwright_flags::{LOOPBACK, StreamListenArgs};
use blockwright_launch::Listen;
use clap::Args;

/// How the process is set up and what it says.
#[derive(Debug, Args)]
pub(crate) struct ProcessArgs {
    /// TOML file; its keys are the names of these flags.
    #[arg(long, env = "BLOCKWRIGHT_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Write the URLs of everything that listens to this file, as JSON, once all of it does.
    #[arg(long, env = "BLOCKWRIGHT_ENDPOINTS", value_name = "FILE")]
    pub(crate) endpoints: Option<PathBuf>,
    /// Log in JSON lines, not in text.
    #[arg(long, env = "BLOCKWRIGHT_JSON",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) json: bool,
    /// Log filter, for example "info,blockwright_engine=debug".
    #[arg(
        long = "log.filter",
        env = "BLOCKWRIGHT_LOG_FILTER",
        value_name = "FILTER"
    )]
    pub(crate) log_filter: Option<String>,
}

/// Where it can be read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct OutletArgs {
    #[command(flatten)]
    flashblocks: StreamListenArgs,
    /// Prometheus metrics: interface.
    #[arg(long = "metrics.addr", env = "BLOCKWRIGHT_METRICS_ADDR", default_value = LOOPBACK)]
    metrics_addr: IpAddr,
    /// Prometheus metrics: port, 0 for a free one.
    #[arg(
        long = "metrics.port",
        env = "BLOCKWRIGHT_METRICS_PORT",
        default_value_t = 9001
    )]
    metrics_port: u16,
}

impl OutletArgs {
    /// The flashblock stream's address.
    pub(crate) const fn flashblocks(&self) -> Listen {
        self.flashblocks.listen()
    }

    /// The metrics' address.
    pub(crate) const fn metrics(&self) -> Listen {
        Listen {
            addr: self.metrics_addr,
            port: self.metrics_port,
        }
    }
}
