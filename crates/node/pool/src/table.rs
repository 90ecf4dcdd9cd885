//! The pooled transactions: chains by sender, places by hash, orders by price.

use std::collections::hash_map::Entry;
use std::ops::Range;

use alloy_primitives::map::{AddressMap, B256Map};
use alloy_primitives::{Address, B256, U256};
use blockwright_seams::Candidate;

use crate::event::{DropReason, Event, Events};
use crate::price_index::{Place, PriceIndex};
use crate::sender::{Pooled, Sender, Sighting};
use crate::view::AccountFacts;

/// A sender and its account's nonce, side by side so that a job can copy all of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderNonce {
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
}

/// What a new head included, to tell inclusion from being overtaken.
#[derive(Debug, Default)]
pub(crate) struct Inclusion {
    pub(crate) hashes: B256Map<u64>,
}

/// All pooled transactions. Every operation leaves it consistent and costs the logarithm of its
/// size for each transaction that moves.
#[derive(Debug, Default)]
pub(crate) struct Table {
    by_hash: B256Map<Place>,
    senders: AddressMap<Sender>,
    /// Dense list of the keys of `senders`.
    list: Vec<SenderNonce>,
    executable: PriceIndex,
    parked: PriceIndex,
    size_bytes: u64,
    /// Counts transactions that left, to tell each sender's states apart.
    version: u64,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.by_hash.len()
    }

    pub(crate) fn executable(&self) -> &PriceIndex {
        &self.executable
    }

    pub(crate) fn parked(&self) -> &PriceIndex {
        &self.parked
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(crate) fn senders(&self) -> &[SenderNonce] {
        &self.list
    }

    pub(crate) fn sender(&self, address: Address) -> Option<&Sender> {
        self.senders.get(&address)
    }

    pub(crate) fn contains(&self, hash: &B256) -> bool {
        self.by_hash.contains_key(hash)
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Pooled> {
        self.by_hash.get(hash).and_then(|&place| self.at(place))
    }

    pub(crate) fn at(&self, place: Place) -> Option<&Pooled> {
        self.senders.get(&place.sender)?.txs.get(place.nonce)
    }

    /// Appends what is pooled at `place` and at most `ahead` that follow without a gap. `None` where
    /// nothing is.
    pub(crate) fn run_from(
        &self,
        place: Place,
        ahead: usize,
        out: &mut Vec<Candidate>,
    ) -> Option<Sighting> {
        let sender = self.senders.get(&place.sender)?;
        let before = out.len();
        let run = sender.txs.from(place.nonce).zip(place.nonce..);
        let run = run.take_while(|(pooled, nonce)| pooled.nonce == *nonce);
        out.extend(run.take(1 + ahead).map(|(pooled, _)| Candidate {
            tx: pooled.tx.clone(),
            arrival: pooled.arrival,
        }));
        (out.len() > before).then(|| sender.sighting())
    }

    /// Puts a transaction where none is and promotes what follows it without a gap. The sender is
    /// created from `facts` if it has nothing pooled.
    pub(crate) fn insert(&mut self, pooled: Pooled, facts: AccountFacts, events: &mut Events) {
        let Place { sender, nonce } = pooled.place();
        debug_assert!(nonce >= facts.nonce, "validated against the same facts");
        let entry = match self.senders.entry(sender) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                self.list.push(SenderNonce {
                    sender,
                    nonce: facts.nonce,
                });
                // Else a job could take the sender for the one it saw before that one was forgotten.
                self.version += 1;
                entry.insert(Sender::new(facts, self.list.len() - 1, self.version))
            }
        };
        debug_assert!(entry.txs.get(nonce).is_none(), "the place is free");
        let executable = nonce < entry.executable_end;
        let index = if executable {
            &mut self.executable
        } else {
            &mut self.parked
        };
        index.insert(&pooled);
        self.size_bytes += pooled.tx.size_bytes();
        self.by_hash.insert(pooled.tx.hash, pooled.place());
        entry.cost_bound = entry.cost_bound.max(pooled.cost);
        let fills = nonce == entry.executable_end;
        if !fills {
            let tx = pooled.tx.clone();
            events.push(if executable {
                Event::Promoted(tx)
            } else {
                Event::Parked(tx)
            });
        }
        entry.txs.insert(pooled);
        if fills {
            self.extend_chain(sender, events);
        }
    }

    /// Takes a transaction out; what follows it in the chain is parked.
    pub(crate) fn remove(&mut self, place: Place, events: &mut Events) -> Option<Pooled> {
        let pooled = self.detach(place)?;
        if self
            .senders
            .get(&place.sender)
            .is_some_and(|sender| place.nonce < sender.executable_end)
        {
            self.cut_chain(place.sender, place.nonce, events);
        }
        self.forget_if_empty(place.sender);
        Some(pooled)
    }

    /// Removes and reports a transaction.
    pub(crate) fn discard(&mut self, place: Place, reason: DropReason, events: &mut Events) {
        if let Some(pooled) = self.remove(place, events) {
            events.push(Event::Dropped {
                tx: pooled.tx,
                reason,
            });
        }
    }

    /// Exchanges the transaction at `new`'s place, whose class stays what it was.
    pub(crate) fn replace(&mut self, new: Pooled, events: &mut Events) {
        let place = new.place();
        let by = new.tx.hash;
        let Some(old) = self.detach(place) else {
            return;
        };
        let Some(sender) = self.senders.get_mut(&place.sender) else {
            return;
        };
        if place.nonce < sender.executable_end {
            self.executable.insert(&new);
            events.push(Event::Promoted(new.tx.clone()));
        } else {
            self.parked.insert(&new);
            events.push(Event::Parked(new.tx.clone()));
        }
        self.size_bytes += new.tx.size_bytes();
        self.by_hash.insert(by, place);
        sender.cost_bound = sender.cost_bound.max(new.cost);
        sender.txs.insert(new);
        events.push(Event::Replaced { old: old.tx, by });
    }

    /// Brings a sender up to its account: used nonces leave, the chain is cut or extended, what the
    /// balance no longer covers is dropped.
    pub(crate) fn update_sender(
        &mut self,
        address: Address,
        facts: AccountFacts,
        included: &Inclusion,
        events: &mut Events,
    ) {
        let Some(sender) = self.senders.get_mut(&address) else {
            return;
        };
        let before = sender.facts;
        if before == facts {
            return;
        }
        sender.facts = facts;
        if let Some(slot) = self.list.get_mut(sender.position) {
            slot.nonce = facts.nonce;
        }
        if facts.nonce > before.nonce {
            self.retire_used(address, included, events);
        } else if facts.nonce < before.nonce {
            self.cut_chain(address, facts.nonce, events);
        }
        self.extend_chain(address, events);
        self.drop_unaffordable(address, events);
        self.forget_if_empty(address);
    }

    fn retire_used(&mut self, address: Address, included: &Inclusion, events: &mut Events) {
        let Some(sender) = self.senders.get_mut(&address) else {
            return;
        };
        let next = sender.facts.nonce;
        let old_end = sender.executable_end;
        let before = events.len();
        while let Some(pooled) = sender.txs.pop_below(next) {
            let index = if pooled.nonce < old_end {
                &mut self.executable
            } else {
                &mut self.parked
            };
            index.remove(&pooled);
            let tx = pooled.tx;
            self.by_hash.remove(&tx.hash);
            self.size_bytes -= tx.size_bytes();
            events.push(match included.hashes.get(&tx.hash) {
                Some(&number) => Event::Included { tx, number },
                None => Event::Dropped {
                    tx,
                    reason: DropReason::NonceUsed,
                },
            });
        }
        if events.len() > before {
            self.version += 1;
            sender.set_version(self.version);
        }
        sender.executable_end = old_end.max(next);
    }

    fn drop_unaffordable(&mut self, address: Address, events: &mut Events) {
        let Some(sender) = self.senders.get_mut(&address) else {
            return;
        };
        let balance = sender.facts.balance;
        if balance >= sender.cost_bound {
            return;
        }
        let mut bound = U256::ZERO;
        let mut dropped = Vec::new();
        for pooled in sender.txs.iter() {
            if pooled.cost > balance {
                dropped.push(pooled.nonce);
            } else {
                bound = bound.max(pooled.cost);
            }
        }
        sender.cost_bound = bound;
        // From the back, so that nothing is parked only to be dropped by the next step.
        for nonce in dropped.into_iter().rev() {
            let place = Place {
                sender: address,
                nonce,
            };
            self.discard(place, DropReason::Unaffordable, events);
        }
    }

    /// Removes a transaction from every order without judging its followers.
    fn detach(&mut self, place: Place) -> Option<Pooled> {
        let sender = self.senders.get_mut(&place.sender)?;
        let pooled = sender.txs.remove(place.nonce)?;
        self.version += 1;
        sender.set_version(self.version);
        if place.nonce < sender.executable_end {
            self.executable.remove(&pooled);
        } else {
            self.parked.remove(&pooled);
        }
        self.by_hash.remove(&pooled.tx.hash);
        self.size_bytes -= pooled.tx.size_bytes();
        Some(pooled)
    }

    /// Promotes what follows the chain's end without a gap.
    fn extend_chain(&mut self, address: Address, events: &mut Events) {
        let Some(sender) = self.senders.get_mut(&address) else {
            return;
        };
        let from = sender.executable_end;
        let end = sender.first_gap(from);
        sender.executable_end = end;
        self.reclassify(address, from..end, true, events);
    }

    /// Ends the chain at `end` and parks what it held beyond.
    fn cut_chain(&mut self, address: Address, end: u64, events: &mut Events) {
        let Some(sender) = self.senders.get_mut(&address) else {
            return;
        };
        let old_end = sender.executable_end;
        sender.executable_end = end;
        self.reclassify(address, end..old_end, false, events);
    }

    fn reclassify(
        &mut self,
        address: Address,
        nonces: Range<u64>,
        to_executable: bool,
        events: &mut Events,
    ) {
        let Some(sender) = self.senders.get(&address) else {
            return;
        };
        for pooled in sender.txs.range(nonces) {
            let tx = pooled.tx.clone();
            if to_executable {
                self.parked.remove(pooled);
                self.executable.insert(pooled);
                events.push(Event::Promoted(tx));
            } else {
                self.executable.remove(pooled);
                self.parked.insert(pooled);
                events.push(Event::Parked(tx));
            }
        }
    }

    fn forget_if_empty(&mut self, address: Address) {
        let Some(sender) = self.senders.get(&address) else {
            return;
        };
        if !sender.txs.is_empty() {
            return;
        }
        let position = sender.position;
        self.senders.remove(&address);
        self.list.swap_remove(position);
        if let Some(moved) = self.list.get(position)
            && let Some(sender) = self.senders.get_mut(&moved.sender)
        {
            sender.position = position;
        }
    }
}

#[cfg(test)]
mod check;
