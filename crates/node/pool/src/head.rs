//! Following the chain.

use std::sync::Arc;

use alloy_primitives::map::{AddressMap, AddressSet, B256Map};
use alloy_primitives::{Address, KECCAK256_EMPTY};
use blockwright_types::{AccountPost, Changes, SealedBlock};
use tracing::debug;

use crate::event::Events;
use crate::metrics::Sizes;
use crate::pool::{Head, Shared};
use crate::table::Inclusion;
use crate::view::{AccountCode, AccountFacts, HeadView};

/// Accounts handled under one hold of the table's lock.
const ACCOUNTS_PER_LOCK: usize = 256;
/// Transactions moved under one hold of the table's lock, save for the last account's.
const EVENTS_PER_LOCK: usize = 256;

impl Shared {
    /// Makes `view` the head. `reverted` blocks left the canonical chain, `included` joined it,
    /// both oldest first.
    ///
    /// New transactions are checked against the new head from the first moment on; pooled ones
    /// follow account by account, so that intake and jobs never wait long. Accounts come from the
    /// blocks' own changes wherever those say all; stored state is read for the rest.
    pub(crate) fn follow(
        &self,
        view: HeadView,
        reverted: &[Arc<SealedBlock>],
        included: &[Arc<SealedBlock>],
    ) {
        let _one_at_a_time = self.head_serial.lock();
        let head = Arc::new(Head {
            view,
            inclusion: inclusion_of(included),
        });
        self.enter_head(head.clone());
        let Touched { facts, unclear } = touched(reverted, included);
        self.apply(&head, &facts);
        self.update_senders(&head, &unclear);
        self.settle_head();
        self.take_back(&head, reverted);
    }

    /// Makes `view` the head without knowing what changed: every sender is read again.
    pub(crate) fn jump(&self, view: HeadView) {
        let _one_at_a_time = self.head_serial.lock();
        let head = Arc::new(Head {
            view,
            inclusion: Inclusion::default(),
        });
        self.enter_head(head.clone());
        let all: Vec<Address> = {
            let state = self.state.lock();
            state.table.senders().iter().map(|at| at.sender).collect()
        };
        self.update_senders(&head, &all);
        self.settle_head();
    }

    fn enter_head(&self, head: Arc<Head>) {
        let mut state = self.state.lock();
        state.head = Some(head);
        state.settled = false;
    }

    fn settle_head(&self) {
        self.state.lock().settled = true;
    }

    fn update_senders(&self, head: &Head, touched: &[Address]) {
        for addresses in touched.chunks(ACCOUNTS_PER_LOCK) {
            let pooled: Vec<Address> = {
                let state = self.state.lock();
                let has = |address: &Address| state.table.sender(*address).is_some();
                addresses.iter().copied().filter(has).collect()
            };
            let facts: Vec<(Address, AccountFacts)> = pooled
                .into_iter()
                .filter_map(|address| match head.view.accounts.account(address) {
                    Ok(facts) => Some((address, facts)),
                    Err(error) => {
                        self.metrics.view_errors.increment(1);
                        debug!(%address, %error, "account of a sender cannot be read");
                        None
                    }
                })
                .collect();
            self.apply(head, &facts);
        }
    }

    /// Brings senders up to their accounts; accounts without anything pooled cost a lookup. The lock
    /// is free in between, after so many accounts or after so much of their chains moved.
    fn apply(&self, head: &Head, facts: &[(Address, AccountFacts)]) {
        let mut rest = facts.iter();
        let mut events = Events::new();
        while rest.len() > 0 {
            let sizes = {
                let mut state = self.state.lock();
                for &(address, facts) in rest.by_ref().take(ACCOUNTS_PER_LOCK) {
                    let included = &head.inclusion;
                    state
                        .table
                        .update_sender(address, facts, included, &mut events);
                    if events.len() >= EVENTS_PER_LOCK {
                        break;
                    }
                }
                Sizes::of(&state.table)
            };
            self.report(&events, sizes);
            events.clear();
        }
    }

    /// Pools again what reverted blocks held and the new chain does not, senders known.
    fn take_back(&self, head: &Head, reverted: &[Arc<SealedBlock>]) {
        let txs: Vec<_> = reverted
            .iter()
            .flat_map(|block| block.transactions())
            .filter(|tx| !tx.is_deposit() && !head.inclusion.hashes.contains_key(&tx.hash))
            .map(|tx| (tx.clone(), self.next_arrivals(1)))
            .collect();
        let results = self.insert(&txs, None);
        self.record_results(results.iter().zip(txs.iter().map(|(tx, _)| tx.hash)));
    }
}

/// Accounts that a change of the chain touched.
struct Touched {
    /// With what they are now.
    facts: Vec<(Address, AccountFacts)>,
    /// Without: only a reverted block names them, or their code has to be looked at.
    unclear: Vec<Address>,
}

fn touched(reverted: &[Arc<SealedBlock>], included: &[Arc<SealedBlock>]) -> Touched {
    let mut posts: AddressMap<Option<AccountPost>> = AddressMap::default();
    for changes in changes_of(included) {
        posts.reserve(changes.accounts.len() / 2);
        let accounts = changes.accounts.iter();
        posts.extend(accounts.map(|(address, change)| (*address, change.post)));
    }
    let mut only_reverted = AddressSet::default();
    for changes in changes_of(reverted) {
        let accounts = changes.accounts.keys();
        only_reverted.extend(accounts.filter(|address| !posts.contains_key(*address)));
    }
    let mut unclear: Vec<Address> = only_reverted.into_iter().collect();
    let mut facts = Vec::with_capacity(posts.len());
    for (address, post) in posts {
        match facts_of(post) {
            Some(clear) => facts.push((address, clear)),
            None => unclear.push(address),
        }
    }
    Touched { facts, unclear }
}

fn changes_of(blocks: &[Arc<SealedBlock>]) -> impl Iterator<Item = &Arc<Changes>> {
    blocks
        .iter()
        .flat_map(|block| &block.parts)
        .flat_map(|part| &part.changes)
}

/// The account after its last change; `None` where it has code, whose kind the hash does not tell.
fn facts_of(post: Option<AccountPost>) -> Option<AccountFacts> {
    let Some(post) = post else {
        return Some(AccountFacts::default());
    };
    (post.code_hash == KECCAK256_EMPTY).then_some(AccountFacts {
        nonce: post.nonce,
        balance: post.balance,
        code: AccountCode::None,
    })
}

fn inclusion_of(blocks: &[Arc<SealedBlock>]) -> Inclusion {
    let parts = blocks.iter().flat_map(|block| &block.parts);
    let mut hashes = B256Map::default();
    hashes.reserve(parts.map(|part| part.transactions.len()).sum());
    for block in blocks {
        let number = block.header.number;
        hashes.extend(block.transactions().map(|tx| (tx.hash, number)));
    }
    Inclusion { hashes }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
