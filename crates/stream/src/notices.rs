//! What became of payloads, for those who listen at `/notices`.

use blockwright_types::{PayloadEnd, PayloadOutcome};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::close::CloseCause;
use crate::metrics;

/// The path that is not the stream.
pub(crate) const PATH: &str = "/notices";

/// What a listener is sent.
#[derive(Clone, Debug)]
enum Notice {
    Text(Utf8Bytes),
    /// Notices were lost before they came here.
    Lost,
}

/// Fan-out of notices. Live only: what was missed can be read from the chain.
#[derive(Debug)]
pub(crate) struct Notices(broadcast::Sender<Notice>);

impl Notices {
    /// Listeners may be `backlog` notices behind.
    pub(crate) fn new(backlog: usize) -> Self {
        Self(broadcast::Sender::new(backlog))
    }

    /// Tells how a payload ended.
    pub(crate) fn publish(&self, end: &PayloadEnd) {
        metrics::notice(outcome(end.outcome));
        // An error says that nobody listens.
        let _ = self.0.send(Notice::Text(text(end).into()));
    }

    /// Tells all listeners to reconnect.
    pub(crate) fn lost(&self) {
        let _ = self.0.send(Notice::Lost);
    }

    pub(crate) fn subscribe(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// One listener's place.
#[derive(Debug)]
pub(crate) struct Listener(broadcast::Receiver<Notice>);

impl Listener {
    /// The next notice. The future can be dropped at any moment.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes, CloseCause> {
        match self.0.recv().await {
            Ok(Notice::Text(text)) => Ok(text),
            Ok(Notice::Lost) | Err(broadcast::error::RecvError::Lagged(_)) => {
                Err(CloseCause::NoticesLost)
            }
            Err(broadcast::error::RecvError::Closed) => Err(CloseCause::Shutdown),
        }
    }
}

const fn outcome(outcome: PayloadOutcome) -> &'static str {
    match outcome {
        PayloadOutcome::Sealed => "sealed",
        PayloadOutcome::Abandoned(_) => "abandoned",
    }
}

/// No text in it needs escaping: numbers, hex and labels of ours.
fn text(end: &PayloadEnd) -> String {
    let reason = match end.outcome {
        PayloadOutcome::Sealed => String::new(),
        PayloadOutcome::Abandoned(reason) => format!(",\"reason\":\"{}\"", reason.label()),
    };
    format!(
        "{{\"type\":\"{}\",\"payload_id\":\"{}\",\"block_number\":{},\"block_hash\":\"{}\",\
         \"flashblock_index\":{}{reason}}}",
        outcome(end.outcome),
        end.payload_id.0,
        end.block_number,
        end.block_hash,
        end.last_index,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use blockwright_types::PayloadId;

    use super::*;

    fn end() -> PayloadEnd {
        PayloadEnd {
            payload_id: PayloadId::new([1; 8]),
            block_number: 1,
            block_hash: Default::default(),
            last_index: 0,
            outcome: PayloadOutcome::Sealed,
        }
    }

    #[tokio::test]
    async fn a_listener_gets_every_notice_or_is_told_that_it_did_not() {
        let notices = Notices::new(4);
        let (mut behind, mut reading) = (notices.subscribe(), notices.subscribe());
        for _ in 0..6 {
            notices.publish(&end());
            assert!(reading.next().await.is_ok());
        }
        assert_eq!(behind.next().await, Err(CloseCause::NoticesLost));
        notices.lost();
        assert_eq!(reading.next().await, Err(CloseCause::NoticesLost));
    }
}
