//! The listener's settings.

use std::net::SocketAddr;
use std::time::Duration;

use blockwright_listen::TlsIdentity;

/// The listener's settings.
#[derive(Clone, Debug)]
pub struct PayloadServerConfig {
    /// Where to listen.
    pub addr: SocketAddr,
    /// What clients may cost.
    pub limits: ServerLimits,
    /// The certificate, where TLS is spoken.
    pub tls: Option<TlsIdentity>,
}

/// What clients may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Most connections.
    pub connections_max: usize,
    /// Most connections from one address (one IPv6 network).
    pub connections_per_address_max: usize,
    /// New connections a second from one address (one IPv6 network) on average; twice as many at once.
    pub connections_per_second_max: u32,
    /// From the first byte of a request to its last, and from a connection to its first request.
    pub request_timeout: Duration,
    /// From an answer's first byte to the moment when the client has taken what is ready of it.
    pub answer_timeout: Duration,
    /// From an answer to the next request.
    pub idle_timeout: Duration,
    /// Requests a second from one address (one IPv6 network) on average; twice as many at once.
    pub requests_per_second_max: u32,
    /// Longest body of a request.
    pub body_bytes_max: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            connections_per_address_max: 128,
            connections_per_second_max: 100,
            request_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            requests_per_second_max: 100,
            body_bytes_max: 4 << 10,
        }
    }
}
