//! Bids that were signed lately: a bid is signed once, however often its block is asked for.

use std::collections::VecDeque;

use alloy_primitives::{Address, B256};
use bytes::Bytes;
use parking_lot::Mutex;

/// Bids that are kept: of four blocks, as many as are released at a time, for four proposers. Only those who may
/// have payloads have bids here.
const SIGNED_MAX: usize = 16;

/// The text around a payload.
#[derive(Clone, Debug)]
pub(crate) struct SignedBid {
    pub(crate) block_hash: B256,
    /// Whom the block was offered to.
    pub(crate) proposer: Address,
    /// What stands before the payload: the version and the bid.
    pub(crate) before: Bytes,
    /// What stands behind it: the signature.
    pub(crate) after: Bytes,
}

/// The newest signed bids.
#[derive(Debug, Default)]
pub(crate) struct SignedBids(Mutex<VecDeque<SignedBid>>);

impl SignedBids {
    pub(crate) fn find(&self, block_hash: B256, proposer: Address) -> Option<SignedBid> {
        let kept = self.0.lock();
        let is_it = |bid: &&SignedBid| bid.block_hash == block_hash && bid.proposer == proposer;
        kept.iter().rev().find(is_it).cloned()
    }

    /// Keeps `bid`; the oldest one makes room.
    pub(crate) fn keep(&self, bid: SignedBid) {
        let mut kept = self.0.lock();
        if kept.len() >= SIGNED_MAX {
            kept.pop_front();
        }
        kept.push_back(bid);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bid(block: u8, proposer: u8) -> SignedBid {
        SignedBid {
            block_hash: B256::repeat_byte(block),
            proposer: Address::repeat_byte(proposer),
            before: Bytes::from(vec![block]),
            after: Bytes::from(vec![proposer]),
        }
    }

    #[test]
    fn a_bid_is_of_one_block_and_for_one_proposer() {
        let bids = SignedBids::default();
        bids.keep(bid(1, 1));
        bids.keep(bid(1, 2));
        let find =
            |block, proposer| bids.find(B256::repeat_byte(block), Address::repeat_byte(proposer));
        assert_eq!(find(1, 2).unwrap().after, [2][..]);
        assert_eq!(find(1, 1).unwrap().after, [1][..]);
        assert!(find(2, 1).is_none() && find(1, 3).is_none());
    }

    #[test]
    fn the_newest_are_kept() {
        let bids = SignedBids::default();
        for block in 0..100 {
            bids.keep(bid(block, 1));
        }
        let find = |block| bids.find(B256::repeat_byte(block), Address::repeat_byte(1));
        assert!(find(83).is_none());
        assert!((84..100).all(|block| find(block).is_some()));
        assert_eq!(bids.0.lock().len(), SIGNED_MAX);
    }
}
