//! What a node is asked.

use std::time::Duration;

use blockwright_watch::{SealedBlock, WatchError, sealed_block};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Questions at a time; while there are as many no frame is taken.
const ASKS_MAX: usize = 32;
/// How long a node may take to have a block and to say so.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two questions for one block.
const PAUSE: Duration = Duration::from_millis(200);

/// Questions that a node has not answered yet.
pub(super) struct Asks {
    url: Option<String>,
    running: JoinSet<Answer>,
}

/// What the node has at a number.
pub(super) struct Answer {
    pub(super) number: u64,
    /// Otherwise why it is not known.
    pub(super) sealed: Result<SealedBlock, String>,
}

impl Asks {
    /// Asks the node at `url`; nobody without one.
    pub(super) fn new(url: Option<String>) -> Self {
        Self {
            url,
            running: JoinSet::new(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.running.len() < ASKS_MAX
    }

    /// Asks for a block that was streamed and ended.
    pub(super) fn ask(&mut self, number: u64) {
        if let Some(url) = self.url.clone() {
            self.running.spawn(patiently(url, number));
        }
    }

    /// The next answer; `None` where none is to come. Nothing is lost where the wait is given up.
    pub(super) async fn next(&mut self) -> Option<Answer> {
        loop {
            if let Ok(answer) = self.running.join_next().await? {
                return Some(answer);
            }
        }
    }
}

/// Asks until the node has the block, or for five seconds.
async fn patiently(url: String, number: u64) -> Answer {
    let end = Instant::now() + PATIENCE;
    let sealed = loop {
        let asked = tokio::time::timeout_at(end, sealed_block(&url, number)).await;
        let cause = match asked {
            Ok(Ok(Some(sealed))) => break Ok(sealed),
            Ok(Ok(None)) => "the node has no such block".to_owned(),
            Ok(Err(error @ WatchError::Url { .. })) => break Err(error.to_string()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the node does not answer".to_owned(),
        };
        if Instant::now() + PAUSE >= end {
            break Err(cause);
        }
        tokio::time::sleep(PAUSE).await;
    };
    Answer { number, sealed }
}
