//! Following the chain.

use std::sync::Arc;

use alloy_primitives::Address;
use alloy_primitives::map::AddressSet;
use blockwright_types::SealedBlock;
use tracing::debug;

use crate::event::Events;
use crate::pool::{Head, Shared};
use crate::table::Inclusion;
use crate::view::{AccountFacts, HeadView};

/// Accounts handled under one hold of the table's lock.
const ACCOUNTS_PER_LOCK: usize = 64;
/// Transactions moved under one hold of the table's lock, save for the last account's.
const EVENTS_PER_LOCK: usize = 128;

impl Shared {
    /// Makes `view` the head. `reverted` blocks left the canonical chain, `included` joined it,
    /// both oldest first.
    ///
    /// New transactions are checked against the new head from the first moment on; pooled ones
    /// follow account by account, so that intake and jobs never wait long.
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
        let touched: Vec<Address> = reverted
            .iter()
            .chain(included)
            .flat_map(|block| &block.parts)
            .flat_map(|part| &part.changes)
            .flat_map(|changes| changes.accounts.keys().copied())
            .collect::<AddressSet>()
            .into_iter()
            .collect();
        self.update_senders(&head, &touched);
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

    /// Brings senders up to their accounts. The lock is free in between, after so many accounts
    /// or after so much of their chains moved.
    fn apply(&self, head: &Head, facts: &[(Address, AccountFacts)]) {
        let mut rest = facts.iter();
        while rest.len() > 0 {
            let mut events = Events::new();
            {
                let mut state = self.state.lock();
                for &(address, facts) in rest.by_ref() {
                    let included = &head.inclusion;
                    state
                        .table
                        .update_sender(address, facts, included, &mut events);
                    if events.len() >= EVENTS_PER_LOCK {
                        break;
                    }
                }
            }
            self.report(&events);
        }
    }

    /// Pools again what reverted blocks held and the new chain does not, senders known.
    fn take_back(&self, head: &Head, reverted: &[Arc<SealedBlock>]) {
        let txs: Vec<_> = reverted
            .iter()
            .flat_map(|block| block.transactions())
            .filter(|tx| !tx.is_deposit() && !head.inclusion.hashes.contains_key(&tx.hash))
            .map(|tx| (tx.clone(), self.next_arrival()))
            .collect();
        for (tx, result) in txs.iter().zip(self.insert(&txs)) {
            self.record_result(&result, Some(tx.0.hash));
        }
    }
}

fn inclusion_of(blocks: &[Arc<SealedBlock>]) -> Inclusion {
    let hashes = blocks
        .iter()
        .flat_map(|block| {
            let number = block.header.number;
            block.transactions().map(move |tx| (tx.hash, number))
        })
        .collect();
    Inclusion { hashes }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
