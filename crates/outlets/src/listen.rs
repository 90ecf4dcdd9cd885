//! Addresses to listen on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a server listens; port 0 asks the system for a free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Interface address.
    pub addr: IpAddr,
    /// TCP port.
    pub port: u16,
}

impl Listen {
    /// Loopback at `port`.
    pub const fn loopback(port: u16) -> Self {
        Self {
            addr: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
        }
    }

    /// As a socket address.
    pub const fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.addr, self.port)
    }
}
