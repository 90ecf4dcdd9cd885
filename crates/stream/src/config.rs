//! Where to listen and what a subscriber may use.

use std::net::SocketAddr;
use std::time::Duration;

use crate::StreamError;

/// Configuration of the flashblock server.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// Address to listen on; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Flashblocks that may wait for the encoder. Full: the flashblock is dropped and counted, and
    /// all subscribers are told to reconnect, because what follows would have a hole. At least 1.
    pub queue: usize,
    /// Bounds of connections and subscribers.
    pub limits: StreamLimits,
}

impl StreamConfig {
    /// Default queue and limits on `addr`.
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            queue: 64,
            limits: StreamLimits::default(),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), StreamError> {
        let limits = &self.limits;
        let counts = [
            ("queue", self.queue),
            ("subscribers_max", limits.subscribers_max),
            (
                "subscribers_per_address_max",
                limits.subscribers_per_address_max,
            ),
            ("backlog_frames", limits.backlog_frames),
            ("message_bytes_max", limits.message_bytes_max),
        ];
        let times = [
            ("handshake_timeout", limits.handshake_timeout),
            ("ping_interval", limits.ping_interval),
            ("idle_timeout", limits.idle_timeout),
            ("write_timeout", limits.write_timeout),
            ("close_timeout", limits.close_timeout),
        ];
        let zero_count = counts
            .iter()
            .find(|(_, value)| *value == 0)
            .map(|(name, _)| name);
        let zero_time = times
            .iter()
            .find(|(_, value)| value.is_zero())
            .map(|(name, _)| name);
        match zero_count.or(zero_time) {
            Some(field) => Err(StreamError::ZeroLimit { field }),
            None => Ok(()),
        }
    }
}

/// Bounds of connections and subscribers. None may be zero.
#[derive(Clone, Debug)]
pub struct StreamLimits {
    /// Connections at once, handshakes included. More are refused with HTTP 503.
    pub subscribers_max: usize,
    /// Connections at once from one IPv4 address or one IPv6 /64. More are refused with HTTP 429.
    pub subscribers_per_address_max: usize,
    /// Frames a subscriber may lag behind (rounded up to a power of two); beyond that it is closed
    /// with code 1013.
    pub backlog_frames: usize,
    /// Time a connection has for its WebSocket handshake.
    pub handshake_timeout: Duration,
    /// Time between two pings of ours.
    pub ping_interval: Duration,
    /// A subscriber from which nothing came for this long, pongs included, is closed with 1008.
    pub idle_timeout: Duration,
    /// A frame that cannot be handed to the socket within this time closes the subscriber with 1013.
    pub write_timeout: Duration,
    /// Time for the closing handshake before the connection is cut.
    pub close_timeout: Duration,
    /// Largest message accepted from a subscriber, in bytes; there is nothing it needs to say.
    pub message_bytes_max: usize,
    /// Kernel send buffer a connection, in bytes; `None` leaves it to the system's tuning.
    pub send_buffer_bytes: Option<u32>,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            subscribers_max: 1_024,
            subscribers_per_address_max: 128,
            backlog_frames: 64,
            handshake_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(3),
            message_bytes_max: 16 * 1024,
            send_buffer_bytes: None,
        }
    }
}
