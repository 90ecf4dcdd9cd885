//! Settings of the server.

use std::net::SocketAddr;
use std::time::Duration;

use blockwright_listen::TlsIdentity;

/// Settings of the server.
#[derive(Clone, Debug)]
pub struct EventServerConfig {
    /// Where to listen.
    pub addr: SocketAddr,
    /// What subscribers may cost.
    pub limits: SubscriberLimits,
    /// The certificate, where TLS is spoken.
    pub tls: Option<TlsIdentity>,
}

/// What subscribers may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberLimits {
    /// Most connections.
    pub connections_max: usize,
    /// Most connections from one address (one IPv6 network).
    pub connections_per_address_max: usize,
    /// From a connection to its complete request; where TLS is spoken, from the end of the handshake, which may
    /// take as long.
    pub request_timeout: Duration,
    /// How long a subscriber may take nothing although there is something for it.
    pub write_timeout: Duration,
    /// Events that a subscriber may be behind before it is cut; at least 1.
    pub behind_max: usize,
}

impl Default for SubscriberLimits {
    fn default() -> Self {
        Self {
            connections_max: 256,
            connections_per_address_max: 32,
            request_timeout: Duration::from_secs(2),
            write_timeout: Duration::from_secs(10),
            behind_max: 32,
        }
    }
}
