//! Connections at once with one key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the connections of each key.
#[derive(Debug)]
pub(crate) struct KeySlots {
    max: usize,
    taken: Vec<Arc<AtomicUsize>>,
}

/// A connection that is counted for its key for as long as this lives.
#[derive(Debug)]
pub(crate) struct KeySlot(Arc<AtomicUsize>);

impl KeySlots {
    /// Room for `max` connections with each of `keys` keys.
    pub(crate) fn new(keys: usize, max: usize) -> Self {
        Self {
            max,
            taken: (0..keys).map(|_| Arc::default()).collect(),
        }
    }

    /// Counts a connection with the key of this number; `None` where the key has its share.
    pub(crate) fn take(&self, key: usize) -> Option<KeySlot> {
        let taken = self.taken.get(key)?;
        let one_more = |count: usize| (count < self.max).then_some(count + 1);
        taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .ok()?;
        Some(KeySlot(Arc::clone(taken)))
    }
}

impl Drop for KeySlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_share_and_gives_it_back() {
        let slots = KeySlots::new(2, 2);
        let first = slots.take(0).unwrap();
        let _second = slots.take(0).unwrap();
        assert!(slots.take(0).is_none());
        let _other = slots.take(1).unwrap();
        drop(first);
        let _third = slots.take(0).unwrap();
        assert!(slots.take(0).is_none());
        assert!(slots.take(2).is_none(), "there is no such key");
    }
}
