//! Verifying priority order from flashblocks alone.

use std::collections::{BinaryHeap, VecDeque};

use alloy_primitives::Address;
use alloy_primitives::map::AddressMap;

/// What the checker sees of one pool transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderedTx {
    /// Its sender.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// Its effective tip in wei per gas (or its rank under another policy).
    pub tip: u128,
}

/// Where a flashblock leaves priority order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderViolation {
    /// A sender's nonces do not rise one by one.
    #[error("transaction {position} of {sender} has nonce {nonce}, expected {expected}")]
    Nonce {
        /// Position among the flashblock's pool transactions.
        position: usize,
        /// The sender.
        sender: Address,
        /// The nonce found.
        nonce: u64,
        /// The nonce that was due.
        expected: u64,
    },
    /// A better executable transaction of the same flashblock stands behind it.
    #[error("transaction {position} has tip {tip} although one with tip {better} was executable")]
    Outranked {
        /// Position among the flashblock's pool transactions.
        position: usize,
        /// Its tip.
        tip: u128,
        /// The better tip.
        better: u128,
    },
}

/// Whether the pool transactions of one flashblock stand in priority order: at every position the
/// best tip among the first remaining transactions of all senders. Equal tips may stand in any
/// order (arrival decides, which a flashblock does not show), and a transaction may have any tip
/// right after the one of its sender that it waited for.
pub fn check(transactions: &[OrderedTx]) -> Result<(), OrderViolation> {
    let mut senders: AddressMap<VecDeque<OrderedTx>> = AddressMap::default();
    for tx in transactions {
        senders.entry(tx.sender).or_default().push_back(*tx);
    }
    let mut heads: BinaryHeap<(u128, Address, u64)> = senders
        .values()
        .filter_map(VecDeque::front)
        .map(|tx| (tx.tip, tx.sender, tx.nonce))
        .collect();
    let mut next_nonce: AddressMap<u64> = AddressMap::default();
    for (position, tx) in transactions.iter().enumerate() {
        if let Some(&expected) = next_nonce.get(&tx.sender)
            && expected != tx.nonce
        {
            return Err(OrderViolation::Nonce {
                position,
                sender: tx.sender,
                nonce: tx.nonce,
                expected,
            });
        }
        next_nonce.insert(tx.sender, tx.nonce.saturating_add(1));
        drop_used(&mut heads, &senders);
        if let Some(&(better, ..)) = heads.peek()
            && better > tx.tip
        {
            return Err(OrderViolation::Outranked {
                position,
                tip: tx.tip,
                better,
            });
        }
        if let Some(queue) = senders.get_mut(&tx.sender) {
            queue.pop_front();
            heads.extend(
                queue
                    .front()
                    .map(|next| (next.tip, next.sender, next.nonce)),
            );
        }
    }
    Ok(())
}

/// Removes heads that were passed already; only the top matters.
fn drop_used(
    heads: &mut BinaryHeap<(u128, Address, u64)>,
    senders: &AddressMap<VecDeque<OrderedTx>>,
) {
    while let Some((tip, sender, nonce)) = heads.peek() {
        let is_current = senders
            .get(sender)
            .and_then(VecDeque::front)
            .is_some_and(|head| head.nonce == *nonce && head.tip == *tip);
        if is_current {
            return;
        }
        heads.pop();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tx(sender: u8, nonce: u64, tip: u128) -> OrderedTx {
        OrderedTx {
            sender: Address::repeat_byte(sender),
            nonce,
            tip,
        }
    }

    #[test]
    fn falling_tips_and_ties_pass() {
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(
            check(&[tx(1, 0, 9), tx(2, 4, 5), tx(3, 0, 5), tx(4, 0, 0)]),
            Ok(())
        );
    }

    #[test]
    fn a_child_may_have_any_tip_right_after_its_parent() {
        assert_eq!(check(&[tx(1, 0, 5), tx(1, 1, 100), tx(2, 0, 3)]), Ok(()));
        assert_eq!(check(&[tx(1, 0, 5), tx(1, 1, 1), tx(1, 2, 100)]), Ok(()));
    }

    #[test]
    fn a_child_that_was_passed_over_is_found() {
        let late = check(&[tx(1, 0, 5), tx(2, 0, 3), tx(1, 1, 100)]);
        assert_eq!(
            late,
            Err(OrderViolation::Outranked {
                position: 1,
                tip: 3,
                better: 100
            })
        );
    }

    #[test]
    fn a_better_head_behind_a_worse_one_is_found() {
        assert!(matches!(
            check(&[tx(1, 0, 5), tx(2, 0, 6)]),
            Err(OrderViolation::Outranked { position: 0, .. })
        ));
    }

    #[test]
    fn nonces_must_rise_one_by_one() {
        assert!(matches!(
            check(&[tx(1, 0, 5), tx(1, 2, 5)]),
            Err(OrderViolation::Nonce { expected: 1, .. })
        ));
    }
}
