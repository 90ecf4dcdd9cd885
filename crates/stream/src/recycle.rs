//! The memory of frames that left the ring.

use std::sync::Arc;

use crate::entry::Entry;

/// Buffers kept for frames to come.
const SPENT_MAX: usize = 6;

/// Memory that is written again: to get fresh memory for a frame of megabytes can take longer than to
/// write it.
#[derive(Debug, Default)]
pub(crate) struct Spent(Vec<Vec<u8>>);

impl Spent {
    /// The largest buffer there is, empty memory otherwise.
    pub(crate) fn memory(&mut self) -> Vec<u8> {
        let largest = (0..self.0.len()).max_by_key(|place| self.0[*place].capacity());
        largest.map_or_else(Vec::new, |place| self.0.swap_remove(place))
    }

    /// Keeps the memory of those that nobody reads any more; the largest few of it.
    pub(crate) fn add(&mut self, evicted: Vec<Arc<Entry>>) {
        let free = evicted.into_iter().filter_map(Arc::into_inner);
        self.0.extend(free.filter_map(Entry::into_memory));
        while self.0.len() > SPENT_MAX {
            let smallest = (0..self.0.len()).min_by_key(|place| self.0[*place].capacity());
            if let Some(place) = smallest {
                self.0.swap_remove(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use blockwright_types::PayloadId;

    use super::*;
    use blockwright_flashblocks::Form;

    use crate::frame::Frame;
    use crate::position::Position;

    fn entry(size_bytes: usize) -> Arc<Entry> {
        let position = Position {
            payload_id: PayloadId::new([0; 8]),
            block_number: 0,
            index: 0,
        };
        let frame = Frame::Binary(vec![7; size_bytes].into());
        Arc::new(Entry::relayed(position, Form::default(), frame))
    }

    #[test]
    fn the_largest_memory_that_nobody_reads_is_used_again() {
        let mut spent = Spent::default();
        assert_eq!(spent.memory().capacity(), 0);
        let (read_by_others, small, large) = (entry(300), entry(100), entry(200));
        spent.add(vec![Arc::clone(&read_by_others), small, large]);
        assert_eq!(spent.memory().capacity(), 200);
        assert_eq!(spent.memory().capacity(), 100);
        assert_eq!(spent.memory().capacity(), 0);
        assert_eq!(read_by_others.frames_bytes(), 300);
    }

    #[test]
    fn a_few_of_the_largest_are_kept() {
        let mut spent = Spent::default();
        spent.add((1..=SPENT_MAX + 3).map(|n| entry(n * 100)).collect());
        let kept: Vec<usize> = (0..=SPENT_MAX).map(|_| spent.memory().capacity()).collect();
        assert_eq!(kept, [900, 800, 700, 600, 500, 400, 0]);
    }
}
