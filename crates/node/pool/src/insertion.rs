//! From recovered transactions to places in the table.

use std::sync::Arc;

use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256};
use blockwright_types::SharedTx;

use crate::admission::{Newcomer, Terms};
use crate::error::PoolError;
use crate::event::Events;
use crate::jobs::Arrival;
use crate::metrics::Sizes;
use crate::pool::{Head, Shared};
use crate::validate::{check_account, check_tip, check_transaction};
use crate::view::AccountFacts;

/// Insertions under one hold of the table's lock, so that a building job never waits long.
const INSERTS_PER_LOCK: usize = 32;

type Outcome = Result<B256, PoolError>;

/// The accounts of some transactions' senders after the head, each read once.
struct Accounts {
    head: Arc<Head>,
    known: AddressMap<AccountFacts>,
}

impl Accounts {
    fn facts(&mut self, sender: Address) -> Result<AccountFacts, PoolError> {
        if let Some(facts) = self.known.get(&sender) {
            return Ok(*facts);
        }
        let facts = self.head.view.accounts.account(sender);
        let facts = facts.map_err(|error| PoolError::State(error.0))?;
        self.known.insert(sender, facts);
        Ok(facts)
    }
}

impl Shared {
    /// Checks recovered transactions and gives them places. Each comes with its arrival number.
    /// `checked` is the head by whose rules they were found good already, apart from their senders'
    /// accounts.
    pub(crate) fn insert(
        &self,
        txs: &[(SharedTx, u64)],
        checked: Option<&Arc<Head>>,
    ) -> Vec<Outcome> {
        let mut results = Vec::with_capacity(txs.len());
        for txs in txs.chunks(INSERTS_PER_LOCK) {
            let done = loop {
                if let Some(done) = self.try_insert(txs, checked) {
                    break done;
                }
            };
            results.extend(done);
        }
        results
    }

    /// `None` where the head changed between the check and the insertion; nothing was done then.
    fn try_insert(
        &self,
        txs: &[(SharedTx, u64)],
        checked: Option<&Arc<Head>>,
    ) -> Option<Vec<Outcome>> {
        let mut accounts = match self.accounts_of(txs) {
            Ok(accounts) => accounts,
            Err(error) => return Some(vec![Err(error); txs.len()]),
        };
        let head = accounts.head.clone();
        let checked = checked.is_some_and(|at| Arc::ptr_eq(at, &head));
        let newcomers = txs
            .iter()
            .map(|(tx, arrival)| {
                if !checked {
                    check_transaction(&tx.envelope, &self.config, &head.view)?;
                    check_tip(&tx.envelope, self.min_tip_wei())?;
                }
                check_account(tx, *arrival, accounts.facts(tx.sender)?, &head.view)
            })
            .collect();
        self.admit_all(&head, newcomers)
    }

    /// The head, with the accounts of those senders that have something pooled: the table holds them.
    fn accounts_of(&self, txs: &[(SharedTx, u64)]) -> Result<Accounts, PoolError> {
        let mut known = AddressMap::default();
        let state = self.state.lock();
        let head = state.head.clone().ok_or(PoolError::NotReady)?;
        if state.settled {
            for (tx, _) in txs {
                if let Some(sender) = state.table.sender(tx.sender) {
                    known.insert(tx.sender, sender.facts);
                }
            }
        }
        Ok(Accounts { head, known })
    }

    fn admit_all(
        &self,
        head: &Arc<Head>,
        newcomers: Vec<Result<Newcomer, PoolError>>,
    ) -> Option<Vec<Outcome>> {
        let terms = Terms {
            config: &self.config,
            base_fee: head.view.base_fee,
            inclusion: &head.inclusion,
        };
        let mut events = Events::with_capacity(newcomers.len());
        let mut arrivals = Vec::with_capacity(newcomers.len());
        let mut results = Vec::with_capacity(newcomers.len());
        let sizes = {
            let mut state = self.state.lock();
            if !state
                .head
                .as_ref()
                .is_some_and(|now| Arc::ptr_eq(now, head))
            {
                return None;
            }
            for newcomer in newcomers {
                results.push(newcomer.and_then(|newcomer| {
                    let place = newcomer.pooled.place();
                    let hash = newcomer.pooled.tx.hash;
                    let version = state.table.admit(newcomer, terms, &mut events)?;
                    arrivals.push(Arrival {
                        sender: place.sender,
                        nonce: place.nonce,
                        version,
                    });
                    Ok(hash)
                }));
            }
            Sizes::of(&state.table)
        };
        self.report(&events, sizes);
        let lost = self.jobs.notify(&arrivals);
        self.metrics.lost_job_news.increment(lost);
        Some(results)
    }
}
