//! Why a subscriber is let go, and what it is told.

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Why a subscriber is no longer served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCause {
    /// It fell behind by more frames than are kept for it.
    Lagged {
        /// Frames it would have missed.
        missed: u64,
    },
    /// Its socket took no frame for too long.
    WriteStalled,
    /// Flashblocks were lost before they could be encoded.
    Gap,
    /// Nothing came from it for too long, not even a pong.
    Idle,
    /// It closed the connection.
    Peer,
    /// The connection broke or the peer broke the protocol.
    Transport,
    /// The server stops.
    Shutdown,
}

impl CloseCause {
    /// Stable label for metrics.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Lagged { .. } => "lagged",
            Self::WriteStalled => "write_stalled",
            Self::Gap => "gap",
            Self::Idle => "idle",
            Self::Peer => "peer",
            Self::Transport => "transport",
            Self::Shutdown => "shutdown",
        }
    }

    /// The close frame to send; `None` where there is nobody left to read it.
    ///
    /// 1013 always means: reconnect, and the current block comes again from index 0.
    pub(crate) fn frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Lagged { missed } => (
                CloseCode::Again,
                format!("too slow: {missed} flashblocks behind the backlog, reconnect"),
            ),
            Self::WriteStalled => (
                CloseCode::Again,
                "too slow: a flashblock could not be delivered in time, reconnect".to_owned(),
            ),
            Self::Gap => (
                CloseCode::Again,
                "stream interrupted: flashblocks were lost, reconnect".to_owned(),
            ),
            Self::Idle => (
                CloseCode::Policy,
                "idle: pings were not answered".to_owned(),
            ),
            Self::Shutdown => (CloseCode::Away, "server is shutting down".to_owned()),
            Self::Peer | Self::Transport => return None,
        };
        Some(CloseFrame {
            code,
            reason: reason.into(),
        })
    }
}
