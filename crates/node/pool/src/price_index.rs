//! Cheapest-first order at any base fee.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::iter::Peekable;

use alloy_consensus::Transaction;
use alloy_primitives::Address;
use alloy_primitives::map::HashSet;

use crate::sender::Pooled;

/// Where a transaction is in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
}

/// Price in wei (values beyond `u64` count as its largest), then the youngest arrival first.
type Key = (u64, Reverse<u64>);

/// Transactions by effective gas price, `min(fee cap, base fee + tip cap)`.
///
/// The base fee changes with every block, and sorting anew would cost the pool's size each time.
/// But the least of `min(f, b + t)` over all is `min(least f, b + least t)`, so two orders that do
/// not depend on the base fee, merged on demand, give the exact order for every base fee.
#[derive(Debug, Default)]
pub(crate) struct PriceIndex {
    by_fee_cap: BTreeMap<Key, Place>,
    by_tip: BTreeMap<Key, Place>,
}

/// Clamps a price to the index' range.
fn clamp(price: u128) -> u64 {
    u64::try_from(price).unwrap_or(u64::MAX)
}

/// What a transaction bids per gas, in wei; clamped to the index' range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prices {
    fee_cap: u64,
    tip_cap: u64,
}

impl Prices {
    pub(crate) fn of(tx: &impl Transaction) -> Self {
        let fee_cap = tx.max_fee_per_gas();
        Self {
            fee_cap: clamp(fee_cap),
            tip_cap: clamp(tx.max_priority_fee_per_gas().unwrap_or(fee_cap)),
        }
    }

    /// Effective gas price at `base_fee`, in wei.
    pub(crate) fn effective(self, base_fee: u64) -> u64 {
        self.fee_cap.min(base_fee.saturating_add(self.tip_cap))
    }
}

impl PriceIndex {
    fn keys(pooled: &Pooled) -> (Key, Key) {
        let age = Reverse(pooled.arrival);
        let Prices { fee_cap, tip_cap } = pooled.prices;
        ((fee_cap, age), (tip_cap, age))
    }

    pub(crate) fn insert(&mut self, pooled: &Pooled) {
        let (fee_cap, tip) = Self::keys(pooled);
        let place = pooled.place();
        self.by_fee_cap.insert(fee_cap, place);
        self.by_tip.insert(tip, place);
    }

    pub(crate) fn remove(&mut self, pooled: &Pooled) {
        let (fee_cap, tip) = Self::keys(pooled);
        self.by_fee_cap.remove(&fee_cap);
        self.by_tip.remove(&tip);
    }

    pub(crate) fn len(&self) -> usize {
        self.by_fee_cap.len()
    }

    /// Places with their effective prices at `base_fee`, cheapest first, youngest first among
    /// equals.
    pub(crate) fn cheapest(&self, base_fee: u64) -> impl Iterator<Item = (u64, Place)> {
        let by_tip = self
            .by_tip
            .iter()
            .map(move |(&(tip, age), &place)| ((base_fee.saturating_add(tip), age), place));
        Cheapest {
            by_fee_cap: self
                .by_fee_cap
                .iter()
                .map(|(&key, &place)| (key, place))
                .peekable(),
            by_tip: by_tip.peekable(),
            seen: HashSet::default(),
        }
    }
}

/// Merges the two orders; a transaction counts where it comes first, which is its minimum.
struct Cheapest<F: Iterator, T: Iterator> {
    by_fee_cap: Peekable<F>,
    by_tip: Peekable<T>,
    seen: HashSet<Place>,
}

impl<F, T> Iterator for Cheapest<F, T>
where
    F: Iterator<Item = (Key, Place)>,
    T: Iterator<Item = (Key, Place)>,
{
    type Item = (u64, Place);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let from_tip = match (self.by_fee_cap.peek(), self.by_tip.peek()) {
                (Some((fee_cap, _)), Some((tip, _))) => tip < fee_cap,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            let ((price, _), place) = if from_tip {
                self.by_tip.next()?
            } else {
                self.by_fee_cap.next()?
            };
            if self.seen.insert(place) {
                return Some((price, place));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
