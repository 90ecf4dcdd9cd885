//! Keeps one flashblock in priority order while transactions still arrive.

use alloy_primitives::Address;
use alloy_primitives::map::AddressMap;
use blockwright_seams::Rank;

/// The ranks committed in one part, as far as late arrivals must not outrank them.
///
/// A transaction that joins at the end must not outrank any position at which it was already
/// executable: all of the part, or those after its sender's last transaction in it. `lows` is a
/// monotone stack (positions and ranks both rise), so that the smallest rank of any suffix is found
/// by one binary search.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    lows: Vec<(usize, Rank)>,
    committed: usize,
    last_of_sender: AddressMap<usize>,
}

impl Floor {
    /// A transaction was committed.
    pub(crate) fn push(&mut self, sender: Address, rank: Rank) {
        while self.lows.last().is_some_and(|(_, low)| *low >= rank) {
            self.lows.pop();
        }
        self.lows.push((self.committed, rank));
        self.last_of_sender.insert(sender, self.committed);
        self.committed += 1;
    }

    /// Whether a transaction of `sender` with `rank` may still join the part.
    pub(crate) fn admits(&self, sender: Address, rank: Rank) -> bool {
        let executable_since = self.last_of_sender.get(&sender).map_or(0, |at| at + 1);
        let first = self
            .lows
            .partition_point(|(position, _)| *position < executable_since);
        self.lows.get(first).is_none_or(|(_, low)| rank <= *low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Address = Address::repeat_byte(1);
    const B: Address = Address::repeat_byte(2);
    const C: Address = Address::repeat_byte(3);

    #[test]
    fn an_empty_part_admits_everything() {
        assert!(Floor::default().admits(A, Rank(u128::MAX)));
    }

    #[test]
    fn the_smallest_committed_rank_is_the_floor_for_strangers() {
        let mut floor = Floor::default();
        floor.push(A, Rank(5));
        floor.push(A, Rank(100));
        assert!(floor.admits(C, Rank(5)) && !floor.admits(C, Rank(6)));
    }

    #[test]
    fn a_late_child_is_measured_against_what_followed_its_parent() {
        let mut floor = Floor::default();
        floor.push(A, Rank(5));
        assert!(floor.admits(A, Rank(1_000)));
        floor.push(B, Rank(3));
        assert!(floor.admits(A, Rank(3)) && !floor.admits(A, Rank(4)));
        assert!(floor.admits(B, Rank(1_000)));
    }
}
