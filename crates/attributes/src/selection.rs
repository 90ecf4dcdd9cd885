//! Which events are to be built.

use std::collections::VecDeque;

use alloy_primitives::B256;

/// Events that are remembered, so that another upstream's copy is known as one.
const SEEN_MAX: usize = 256;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It is to be built.
    Take,
    /// It was here before.
    Duplicate,
    /// Another upstream is further.
    Older,
}

/// Decides by arrival. The order of one upstream is trusted: a lower slot after a higher one is a reorg. What
/// one upstream says after another one was further is merely late.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Digests, oldest first.
    seen: VecDeque<B256>,
    /// Upstream and slot of what was taken last.
    newest: Option<(usize, u64)>,
}

impl Selection {
    pub(crate) fn offer(&mut self, upstream: usize, slot: u64, digest: B256) -> Choice {
        if self.seen.contains(&digest) {
            return Choice::Duplicate;
        }
        let is_older = self
            .newest
            .is_some_and(|(of, newest)| of != upstream && slot < newest);
        if is_older {
            return Choice::Older;
        }
        self.newest = Some((upstream, slot));
        if self.seen.len() >= SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(digest);
        Choice::Take
    }

    /// The connection to an upstream ended: the others may know better by now.
    pub(crate) fn left(&mut self, upstream: usize) {
        self.newest = self.newest.filter(|(of, _)| *of != upstream);
    }

    /// Nothing came of it: should it come again, it is new.
    pub(crate) fn forget(&mut self, digest: B256) {
        self.seen.retain(|seen| *seen != digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn digest(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    #[test]
    fn each_content_is_taken_once() {
        let mut selection = Selection::default();
        assert_eq!(selection.offer(0, 5, digest(1)), Choice::Take);
        assert_eq!(selection.offer(1, 5, digest(1)), Choice::Duplicate);
        assert_eq!(selection.offer(0, 5, digest(1)), Choice::Duplicate);
        assert_eq!(selection.offer(1, 5, digest(2)), Choice::Take);
        selection.forget(digest(1));
        assert_eq!(selection.offer(0, 5, digest(1)), Choice::Take);
        for byte in 0..=255 {
            selection.offer(0, 6, B256::with_last_byte(byte));
        }
        assert_eq!(selection.offer(0, 6, digest(1)), Choice::Take, "long ago");
    }

    #[test]
    fn an_upstream_may_go_back_and_a_late_one_may_not_take_others_back() {
        let mut selection = Selection::default();
        assert_eq!(selection.offer(0, 9, digest(1)), Choice::Take);
        assert_eq!(selection.offer(1, 8, digest(2)), Choice::Older);
        assert_eq!(selection.offer(0, 8, digest(3)), Choice::Take);
        assert_eq!(selection.offer(1, 8, digest(4)), Choice::Take);
        assert_eq!(selection.offer(0, 7, digest(5)), Choice::Older);
        selection.left(1);
        assert_eq!(selection.offer(0, 7, digest(5)), Choice::Take);
    }
}
