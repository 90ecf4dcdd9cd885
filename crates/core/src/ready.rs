//! The executable candidates of one job, ranked, and those that wait for a later flashblock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256};
use blockwright_seams::{Candidate, Frontier, Rank};

/// At most this many simulations are kept, to bound memory; other candidates run when their turn
/// comes. More than one slot's worth of transfers.
const SIMS_MAX: usize = 8_192;

/// Best rank first, then arrival; the sender makes it unique.
type Key = (Reverse<Rank>, u64, Address);

/// A candidate with what is known about it.
#[derive(Debug)]
pub(crate) struct Entry<S> {
    pub(crate) candidate: Candidate,
    pub(crate) rank: Rank,
    /// Gas it used, where it has run.
    pub(crate) gas: u64,
    /// Microseconds it took, where it has run.
    pub(crate) cost_us: Option<u64>,
    /// Whether `gas` was measured.
    pub(crate) measured: bool,
    /// A simulation that may still hold. Boxed: entries move about in the queue.
    pub(crate) sim: Option<Box<S>>,
    /// It was put off because it could have overrun a slot.
    pub(crate) overran: bool,
}

impl<S> Entry<S> {
    pub(crate) const fn new(candidate: Candidate, rank: Rank) -> Self {
        Self {
            candidate,
            rank,
            gas: 0,
            cost_us: None,
            measured: false,
            sim: None,
            overran: false,
        }
    }

    fn key(&self) -> Key {
        (
            Reverse(self.rank),
            self.candidate.arrival,
            self.candidate.tx.sender,
        )
    }
}

/// Where a sender's one candidate is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Ready(Key),
    Waiting(B256),
}

/// The job's candidates: at most one a sender. Bounded by the number of senders in the pool.
#[derive(Debug)]
pub(crate) struct Ready<S> {
    entries: BTreeMap<Key, Entry<S>>,
    waiting: BTreeMap<u64, Vec<Entry<S>>>,
    places: AddressMap<Place>,
    untried: VecDeque<Address>,
    popped: Vec<Entry<S>>,
    tally: Tally,
}

/// Sums over the executable candidates.
#[derive(Debug, Default)]
struct Tally {
    sims: usize,
    pending: Pending,
}

/// The work that all executable candidates are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    /// Microseconds of those that have run before.
    pub(crate) known_us: u64,
    /// Number of the others.
    pub(crate) unknown_count: u64,
    /// Sum of their gas limits.
    pub(crate) unknown_gas_limit: u64,
}

impl<S> Default for Ready<S> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            waiting: BTreeMap::new(),
            places: AddressMap::default(),
            untried: VecDeque::new(),
            popped: Vec::new(),
            tally: Tally::default(),
        }
    }
}

impl<S> Ready<S> {
    /// Adds an executable candidate; it replaces what its sender had here.
    pub(crate) fn insert(&mut self, entry: Entry<S>) {
        let sender = entry.candidate.tx.sender;
        self.remove(sender);
        if !entry.measured {
            self.untried.push_back(sender);
        }
        let key = entry.key();
        self.places.insert(sender, Place::Ready(key));
        self.tally.count(&entry);
        self.entries.insert(key, entry);
    }

    /// Keeps a candidate for flashblock `until_index`; it replaces what its sender had here.
    pub(crate) fn wait(&mut self, mut entry: Entry<S>, until_index: u64) {
        let tx = &entry.candidate.tx;
        let (sender, hash) = (tx.sender, tx.hash);
        self.remove(sender);
        self.places.insert(sender, Place::Waiting(hash));
        entry.sim = None;
        self.waiting.entry(until_index).or_default().push(entry);
    }

    /// Makes executable what waited for flashblocks up to `index`; returns the senders of those
    /// that had been put off for want of time and have not run yet.
    pub(crate) fn release(&mut self, index: u64) -> VecDeque<Address> {
        let mut overran = VecDeque::new();
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() > index {
                break;
            }
            for entry in first.remove() {
                let (sender, hash) = (entry.candidate.tx.sender, entry.candidate.tx.hash);
                let current =
                    matches!(self.places.get(&sender), Some(Place::Waiting(at)) if *at == hash);
                if !current {
                    continue;
                }
                if entry.overran && !entry.measured {
                    overran.push_back(sender);
                }
                self.insert(entry);
            }
        }
        overran
    }

    /// Forgets the sender's candidate.
    pub(crate) fn remove(&mut self, sender: Address) {
        if let Some(Place::Ready(key)) = self.places.remove(&sender)
            && let Some(entry) = self.entries.remove(&key)
        {
            self.tally.discount(&entry);
        }
    }

    /// The next candidate that has not run ahead yet; `None` also where no more simulations are
    /// kept, since one that is thrown away would cost the run a second time.
    pub(crate) fn next_untried(&mut self) -> Option<Address> {
        if self.tally.sims >= SIMS_MAX {
            return None;
        }
        while let Some(sender) = self.untried.pop_front() {
            if self.get(sender).is_some_and(|entry| !entry.measured) {
                return Some(sender);
            }
        }
        None
    }

    /// The sender's executable candidate.
    pub(crate) fn get(&self, sender: Address) -> Option<&Entry<S>> {
        match self.places.get(&sender) {
            Some(Place::Ready(key)) => self.entries.get(key),
            Some(Place::Waiting(_)) | None => None,
        }
    }

    /// Notes that the sender's candidate ran ahead, with its gas and its result.
    pub(crate) fn ran_ahead(&mut self, sender: Address, gas: u64, sim: S) {
        let keep = self.tally.sims < SIMS_MAX;
        self.update(sender, |entry| {
            entry.gas = gas;
            entry.measured = true;
            entry.sim = keep.then(|| Box::new(sim));
        });
    }

    /// Notes how long the candidate `hash` of `sender` took.
    pub(crate) fn took(&mut self, sender: Address, hash: B256, cost_us: u64) {
        self.update(sender, |entry| {
            if entry.candidate.tx.hash == hash {
                entry.cost_us = Some(cost_us);
            }
        });
    }

    /// The entry behind the candidate that a policy selected; what it took besides goes back.
    /// `None` where it selected something it had not taken.
    pub(crate) fn claim(&mut self, selected: &Candidate) -> Option<Entry<S>> {
        let mut claimed = None;
        for entry in std::mem::take(&mut self.popped) {
            if claimed.is_none() && entry.candidate.tx.hash == selected.tx.hash {
                claimed = Some(entry);
            } else {
                self.insert(entry);
            }
        }
        claimed
    }

    /// The work that all executable candidates are.
    pub(crate) const fn pending(&self) -> Pending {
        self.tally.pending
    }

    /// Gives back a candidate for [`Self::next_untried`].
    pub(crate) fn try_first(&mut self, sender: Address) {
        self.untried.push_front(sender);
    }

    fn update(&mut self, sender: Address, change: impl FnOnce(&mut Entry<S>)) {
        let Some(Place::Ready(key)) = self.places.get(&sender).copied() else {
            return;
        };
        // What changes is not part of the key.
        if let Some(entry) = self.entries.get_mut(&key) {
            self.tally.discount(entry);
            change(entry);
            self.tally.count(entry);
        }
    }
}

impl Tally {
    fn count<S>(&mut self, entry: &Entry<S>) {
        self.sims += usize::from(entry.sim.is_some());
        let pending = &mut self.pending;
        if let Some(cost_us) = entry.cost_us {
            pending.known_us = pending.known_us.saturating_add(cost_us);
        } else {
            let gas_limit = entry.candidate.tx.gas_limit().0;
            pending.unknown_count += 1;
            pending.unknown_gas_limit = pending.unknown_gas_limit.saturating_add(gas_limit);
        }
    }

    fn discount<S>(&mut self, entry: &Entry<S>) {
        self.sims -= usize::from(entry.sim.is_some());
        let pending = &mut self.pending;
        if let Some(cost_us) = entry.cost_us {
            pending.known_us = pending.known_us.saturating_sub(cost_us);
        } else {
            let gas_limit = entry.candidate.tx.gas_limit().0;
            pending.unknown_count = pending.unknown_count.saturating_sub(1);
            pending.unknown_gas_limit = pending.unknown_gas_limit.saturating_sub(gas_limit);
        }
    }
}

impl<S> Frontier for Ready<S> {
    fn peek(&self) -> Option<(&Candidate, Rank)> {
        let (_, entry) = self.entries.first_key_value()?;
        Some((&entry.candidate, entry.rank))
    }

    fn pop(&mut self) -> Option<(Candidate, Rank)> {
        let (_, entry) = self.entries.pop_first()?;
        self.tally.discount(&entry);
        self.places.remove(&entry.candidate.tx.sender);
        let taken = (entry.candidate.clone(), entry.rank);
        self.popped.push(entry);
        Some(taken)
    }

    fn len(&self) -> usize {
        self.entries.len()
    }
}
