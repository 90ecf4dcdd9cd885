//! Where to listen and what a subscriber may use.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use blockwright_flashblocks::MetadataDetail;
use blockwright_signer::Signer;

use crate::{ApiKey, StreamError, TlsIdentity};

/// Configuration of the flashblock server.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// Address to listen on; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Flashblocks and notices that may wait for the encoder. Full: the flashblock is dropped and
    /// counted, and all subscribers are told to reconnect, because what follows would have a hole.
    /// At least 1.
    pub queue: usize,
    /// The metadata of JSON frames where a subscriber does not ask for another extent.
    pub metadata: MetadataDetail,
    /// Whether all JSON metadata names the flashblock before; without, only the minimal one does.
    pub prev_id: bool,
    /// Signs the hash of each flashblock; the signature is in the metadata of all JSON frames. A
    /// flashblock that is not signed in spite of it is sent without, and counted.
    pub signer: Option<Arc<dyn Signer>>,
    /// What is held for those who resume.
    pub ring: RingLimits,
    /// Who may subscribe; empty for everybody.
    pub api_keys: Vec<ApiKey>,
    /// The certificate to serve `wss://` with; `None` serves `ws://`.
    pub tls: Option<TlsIdentity>,
    /// Bounds of connections and subscribers.
    pub limits: StreamLimits,
}

impl StreamConfig {
    /// Default queue, ring and limits on `addr`; full metadata, no signature, no
    /// keys, no TLS.
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            queue: 64,
            metadata: MetadataDetail::Full,
            prev_id: false,
            signer: None,
            ring: RingLimits::default(),
            api_keys: Vec::new(),
            tls: None,
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
            ("subscribers_per_key_max", limits.subscribers_per_key_max),
            ("handshakes_max", limits.handshakes_max),
            (
                "handshakes_per_address_max",
                limits.handshakes_per_address_max,
            ),
            ("backlog_frames", limits.backlog_frames),
            ("message_bytes_max", limits.message_bytes_max),
            ("ring.frames_max", self.ring.frames_max),
            ("ring.size_bytes_max", self.ring.size_bytes_max),
        ];
        let times = [
            ("handshake_timeout", limits.handshake_timeout),
            ("ping_interval", limits.ping_interval),
            ("idle_timeout", limits.idle_timeout),
            ("write_timeout", limits.write_timeout),
            ("close_timeout", limits.close_timeout),
            ("ring.age", self.ring.age),
        ];
        let zero_count = counts
            .iter()
            .find(|(_, value)| *value == 0)
            .map(|(name, _)| name);
        let zero_time = times
            .iter()
            .find(|(_, value)| value.is_zero())
            .map(|(name, _)| name);
        if let Some(field) = zero_count.or(zero_time) {
            return Err(StreamError::ZeroLimit { field });
        }
        match self.api_keys.iter().position(|key| !key.is_usable()) {
            Some(position) => Err(StreamError::ApiKey {
                position: position + 1,
            }),
            None => Ok(()),
        }
    }
}

/// Bounds of connections and subscribers. None may be zero.
#[derive(Clone, Debug)]
pub struct StreamLimits {
    /// Connections in their handshakes at once; for one more the oldest is cut.
    pub handshakes_max: usize,
    /// Connections in their handshakes at once from one IPv4 address or one IPv6 /64; more are cut.
    pub handshakes_per_address_max: usize,
    /// Subscribers at once. More are refused with HTTP 503.
    pub subscribers_max: usize,
    /// Subscribers at once from one IPv4 address or one IPv6 /64. More are refused with HTTP 429.
    pub subscribers_per_address_max: usize,
    /// Subscribers at once with one API key. More are refused with HTTP 429.
    pub subscribers_per_key_max: usize,
    /// Frames a subscriber may lag behind what was published since it came, and notices a listener
    /// may; beyond that it is closed with code 1013, and also once the ring no longer holds what it
    /// is to read next.
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
    /// Messages accepted from a subscriber between two pings of ours, its pings and pongs included;
    /// beyond that it is closed with 1008.
    pub messages_max: u32,
    /// Kernel send buffer a connection, in bytes; `None` leaves it to the system's tuning.
    pub send_buffer_bytes: Option<u32>,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            handshakes_max: 1_024,
            handshakes_per_address_max: 256,
            subscribers_max: 5_000,
            subscribers_per_address_max: 500,
            subscribers_per_key_max: 5_000,
            backlog_frames: 64,
            handshake_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(3),
            message_bytes_max: 16 * 1024,
            messages_max: 1_000,
            send_buffer_bytes: None,
        }
    }
}

/// Bounds of the frames held for those who resume. None may be zero. A frame leaves when one of the
/// bounds is passed; those of the current block and of the one before stay whatever their size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingLimits {
    /// How long a frame is held; the protocol asks for at least ten seconds.
    pub age: Duration,
    /// Most frames held.
    pub frames_max: usize,
    /// Most bytes held: frames in every form and encoding in which they were made, and the
    /// flashblocks that they are made of (estimated). What is made for the frames held comes on top
    /// until the next frame is published.
    pub size_bytes_max: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self {
            age: Duration::from_secs(12),
            frames_max: 4_096,
            size_bytes_max: 256 << 20,
        }
    }
}
