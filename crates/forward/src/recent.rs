//! Which transactions were forwarded already.

use std::collections::VecDeque;

use alloy_primitives::B256;
use alloy_primitives::map::B256Set;

/// The hashes forwarded last. Nodes that forward to each other would otherwise send a transaction
/// round and round whenever one of them has dropped it from its pool in the meantime.
#[derive(Debug)]
pub(crate) struct Recent {
    known: B256Set,
    order: VecDeque<B256>,
    count_max: usize,
}

impl Recent {
    pub(crate) fn new(count_max: usize) -> Self {
        Self {
            known: B256Set::default(),
            order: VecDeque::new(),
            count_max,
        }
    }

    /// Whether `hash` is new; it is known from now on, and the oldest is forgotten where there are
    /// too many.
    pub(crate) fn insert(&mut self, hash: B256) -> bool {
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > self.count_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_new_once_until_it_is_forgotten() {
        let mut recent = Recent::new(2);
        let [a, b, c] = [1, 2, 3].map(B256::with_last_byte);
        assert!(recent.insert(a));
        assert!(recent.insert(b));
        assert!(!recent.insert(a), "known");
        assert!(recent.insert(c), "a is forgotten for it");
        assert!(!recent.insert(b));
        assert!(recent.insert(a));
        assert_eq!(recent.known.len(), 2);
    }
}
