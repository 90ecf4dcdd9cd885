//! Says when flashblocks stop and when they are back.

use std::time::{Duration, Instant};

use crate::{Pending, metrics};

/// Between two warnings; a consensus client that is late block after block fills no log.
const WARNING_EVERY: Duration = Duration::from_secs(60);

impl Pending {
    /// Watches the snapshots for as long as it is polled: a warning when flashblocks stop, a line when
    /// they are back, and the gauge of whether they live.
    pub async fn watch(self) {
        let mut news = self.subscribe();
        let silence = Duration::from_micros(self.live_us());
        let mut vigil = Vigil::default();
        loop {
            // Falling behind is news as well.
            let heard = tokio::time::timeout(silence, news.recv()).await.is_ok();
            let now = self.now();
            let live = heard || self.live(now).is_ok();
            if !live {
                self.tidy(now);
            }
            if let Some(notice) = vigil.observe(live, Instant::now()) {
                tell(notice);
            }
        }
    }
}

/// Knows what was said last.
#[derive(Debug, Default)]
struct Vigil {
    live: bool,
    warned: Option<Instant>,
    told: bool,
}

/// What an operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    Stopped,
    Back,
}

impl Vigil {
    fn observe(&mut self, live: bool, now: Instant) -> Option<Notice> {
        if live == self.live {
            return None;
        }
        self.live = live;
        metrics::live(live);
        if live {
            return std::mem::take(&mut self.told).then_some(Notice::Back);
        }
        let since = self.warned.map(|before| now.duration_since(before));
        if since.is_some_and(|since| since < WARNING_EVERY) {
            return None;
        }
        self.warned = Some(now);
        self.told = true;
        Some(Notice::Stopped)
    }
}

fn tell(notice: Notice) {
    match notice {
        Notice::Stopped => tracing::warn!(
            "flashblocks stopped: JSON-RPC answers `pending` as `latest` until they come again"
        ),
        Notice::Back => {
            tracing::info!("flashblocks are back: `pending` is preconfirmed state again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_told_and_a_flutter_is_not() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut vigil = Vigil::default();
        let said = [(true, 0), (true, 1), (false, 2), (false, 3), (true, 4)]
            .map(|(live, s)| vigil.observe(live, at(s)));
        let (stopped, back) = (Some(Notice::Stopped), Some(Notice::Back));
        assert_eq!(said, [None, None, stopped, None, back]);
        let said = [(false, 5), (true, 6), (false, 70), (true, 71)]
            .map(|(live, s)| vigil.observe(live, at(s)));
        assert_eq!(said, [None, None, stopped, back]);
    }
}
