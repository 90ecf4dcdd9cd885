//! Why a subscriber is let go, and what it is told.

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::encoding::Encoding;
use crate::entry::NotMade;

/// What the reason of a close says where the ring may still hold what comes next.
const RESUME: &str = "resume with ?block_number=N&flashblock_index=M of the last one read";

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
    /// Too many frames wait to be compressed.
    NotCompressed,
    /// Too many frames wait to be made in the form it reads.
    NotFormed,
    /// A flashblock cannot be had in the format it reads.
    Impossible,
    /// It listens to notices, and some were lost or it fell behind.
    NoticesLost,
    /// Nothing came from it for too long, not even a pong.
    Idle,
    /// It sent more messages than a subscriber has reason to.
    Flood,
    /// It closed the connection.
    Peer,
    /// The connection broke or the peer broke the protocol.
    Transport,
    /// The server stops.
    Shutdown,
}

impl From<NotMade> for CloseCause {
    fn from(not_made: NotMade) -> Self {
        match not_made {
            NotMade::Busy(Encoding::Plain) => Self::NotFormed,
            NotMade::Busy(Encoding::Packed(_)) => Self::NotCompressed,
            NotMade::Impossible => Self::Impossible,
        }
    }
}

impl CloseCause {
    /// Stable label for metrics.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Lagged { .. } => "lagged",
            Self::WriteStalled => "write_stalled",
            Self::Gap => "gap",
            Self::NotCompressed => "not_compressed",
            Self::NotFormed => "not_formed",
            Self::Impossible => "impossible",
            Self::NoticesLost => "notices_lost",
            Self::Flood => "flood",
            Self::Idle => "idle",
            Self::Peer => "peer",
            Self::Transport => "transport",
            Self::Shutdown => "shutdown",
        }
    }

    /// The close frame to send; `None` where there is nobody left to read it.
    ///
    /// 1013 always means: reconnect, and resume. A reason has at most 123 bytes.
    pub(crate) fn frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Lagged { missed } => (
                CloseCode::Again,
                format!("too slow: {missed} flashblocks behind; {RESUME}"),
            ),
            Self::WriteStalled => (
                CloseCode::Again,
                format!("too slow: a frame was not taken in time; {RESUME}"),
            ),
            Self::NotCompressed => (CloseCode::Again, format!("compression is behind; {RESUME}")),
            Self::NotFormed => (CloseCode::Again, format!("encoding is behind; {RESUME}")),
            Self::Impossible => (
                CloseCode::Again,
                "this flashblock has no frame of this form; read another dialect, or the next block"
                    .to_owned(),
            ),
            Self::NoticesLost => (CloseCode::Again, "notices were lost, reconnect".to_owned()),
            Self::Gap => (
                CloseCode::Again,
                "stream interrupted: flashblocks were lost, reconnect".to_owned(),
            ),
            Self::Idle => (
                CloseCode::Policy,
                "idle: pings were not answered".to_owned(),
            ),
            Self::Flood => (CloseCode::Policy, "flood: too many messages".to_owned()),
            Self::Shutdown => (CloseCode::Away, "server is shutting down".to_owned()),
            Self::Peer | Self::Transport => return None,
        };
        Some(CloseFrame {
            code,
            reason: reason.into(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_laggard_is_told_how_to_resume_within_what_a_close_frame_holds() {
        let lagged = CloseCause::Lagged { missed: u64::MAX };
        for cause in [
            lagged,
            CloseCause::WriteStalled,
            CloseCause::NotCompressed,
            CloseCause::NotFormed,
            CloseCause::Impossible,
            CloseCause::Gap,
        ] {
            let frame = cause.frame().unwrap();
            assert_eq!(frame.code, CloseCode::Again);
            assert!(frame.reason.len() <= 123, "{}", frame.reason);
        }
        let reason = lagged.frame().unwrap().reason;
        assert!(reason.contains("?block_number=N&flashblock_index=M"));
    }
}
