//! The flags of the stream's address.

use std::net::IpAddr;

use blockwright_outlets::Listen;
use clap::Args;

/// The loopback interface, which every server listens on unless it is told otherwise.
pub const LOOPBACK: &str = "127.0.0.1";

/// Where subscribers to the stream connect.
#[derive(Debug, Args)]
#[group(id = "blockwright.listen")]
#[command(next_help_heading = "Servers")]
pub struct StreamListenArgs {
    /// Flashblock stream: interface.
    #[arg(id = "flashblocks.addr", long = "flashblocks.addr", env = "BLOCKWRIGHT_FLASHBLOCKS_ADDR", default_value = LOOPBACK)]
    addr: IpAddr,
    /// Flashblock stream: port, 0 for a free one.
    #[arg(
        id = "flashblocks.port",
        long = "flashblocks.port",
        env = "BLOCKWRIGHT_FLASHBLOCKS_PORT",
        default_value_t = 1111
    )]
    port: u16,
}

impl StreamListenArgs {
    /// The flashblock stream's address.
    pub const fn listen(&self) -> Listen {
        Listen {
            addr: self.addr,
            port: self.port,
        }
    }
}
