//! What waits for one target.

use std::collections::VecDeque;

use alloy_primitives::Bytes;

/// Bounds of a queue and of what is taken from it at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// Transactions that wait.
    pub(crate) count_max: usize,
    /// Their bytes.
    pub(crate) size_bytes_max: usize,
    /// Transactions taken at once.
    pub(crate) batch_count_max: usize,
    /// Their bytes; a single larger one is taken alone.
    pub(crate) batch_bytes_max: usize,
}

/// Transactions in the order in which they leave. When it is full the oldest go: a target that was away
/// has learnt of most of them through blocks, and of the newest it has not.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: VecDeque<Bytes>,
    size_bytes: usize,
    limits: QueueLimits,
}

impl Queue {
    pub(crate) const fn new(limits: QueueLimits) -> Self {
        Self {
            waiting: VecDeque::new(),
            size_bytes: 0,
            limits,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Appends; the number of transactions that had to go.
    pub(crate) fn push(&mut self, encoded: Bytes) -> usize {
        self.size_bytes += encoded.len();
        self.waiting.push_back(encoded);
        self.shrink()
    }

    /// The oldest transactions, as many as leave together.
    pub(crate) fn take(&mut self) -> Vec<Bytes> {
        let mut batch = Vec::new();
        let mut size_bytes = 0;
        while let Some(next) = self.waiting.front() {
            let fits = size_bytes + next.len() <= self.limits.batch_bytes_max;
            if batch.len() >= self.limits.batch_count_max.max(1) || !(fits || batch.is_empty()) {
                break;
            }
            size_bytes += next.len();
            batch.extend(self.waiting.pop_front());
        }
        self.size_bytes -= size_bytes;
        batch
    }

    /// Puts what was taken back to where it was; the number of transactions that had to go.
    pub(crate) fn put_back(&mut self, batch: Vec<Bytes>) -> usize {
        for encoded in batch.into_iter().rev() {
            self.size_bytes += encoded.len();
            self.waiting.push_front(encoded);
        }
        self.shrink()
    }

    /// From now on transactions are taken one at a time.
    pub(crate) const fn take_singly(&mut self) {
        self.limits.batch_count_max = 1;
    }

    fn shrink(&mut self) -> usize {
        let mut gone = 0;
        let limits = self.limits;
        while self.waiting.len() > limits.count_max || self.size_bytes > limits.size_bytes_max {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.size_bytes -= oldest.len();
            gone += 1;
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: QueueLimits = QueueLimits {
        count_max: 4,
        size_bytes_max: 100,
        batch_count_max: 3,
        batch_bytes_max: 20,
    };

    fn tx(mark: u8, size_bytes: usize) -> Bytes {
        vec![mark; size_bytes].into()
    }

    fn marks(batch: &[Bytes]) -> Vec<u8> {
        batch.iter().map(|encoded| encoded[0]).collect()
    }

    #[test]
    fn batches_are_the_oldest_within_count_and_bytes() {
        let mut queue = Queue::new(LIMITS);
        for (mark, size_bytes) in [(1, 9), (2, 9), (3, 9), (4, 30)] {
            assert_eq!(queue.push(tx(mark, size_bytes)), 0);
        }
        assert_eq!(marks(&queue.take()), [1, 2]);
        assert_eq!(marks(&queue.take()), [3]);
        assert_eq!(marks(&queue.take()), [4], "too large for a batch, so alone");
        assert!(queue.take().is_empty());
        assert_eq!((queue.len(), queue.size_bytes), (0, 0));
        for mark in 0..4 {
            queue.push(tx(mark, 1));
        }
        assert_eq!(marks(&queue.take()), [0, 1, 2]);
        queue.take_singly();
        queue.push(tx(9, 1));
        assert_eq!(marks(&queue.take()), [3]);
    }

    #[test]
    fn a_full_queue_loses_its_oldest_by_count_and_by_bytes() {
        let mut queue = Queue::new(LIMITS);
        let gone: usize = (0..6).map(|mark| queue.push(tx(mark, 1))).sum();
        assert_eq!(gone, 2);
        assert_eq!(
            queue.push(tx(6, 98)),
            2,
            "one for the count, one for the bytes"
        );
        assert_eq!(
            queue.push(tx(7, 101)),
            4,
            "what can never fit does not stay"
        );
        assert_eq!((queue.len(), queue.size_bytes), (0, 0));
    }

    #[test]
    fn what_is_put_back_stands_before_what_came_since() {
        let mut queue = Queue::new(LIMITS);
        for mark in 0..4 {
            queue.push(tx(mark, 1));
        }
        let batch = queue.take();
        queue.push(tx(4, 1));
        queue.push(tx(5, 1));
        assert_eq!(queue.put_back(batch), 2, "six where four may wait");
        assert_eq!(marks(&queue.take()), [2, 3, 4]);
        assert_eq!(marks(&queue.take()), [5]);
    }
}
