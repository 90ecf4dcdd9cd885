//! Who gets a place: replacement, slots a sender, room, eviction.

use alloy_consensus::Transaction;
use blockwright_types::SharedTx;

use crate::config::PoolConfig;
use crate::error::PoolError;
use crate::event::{DropReason, Events};
use crate::price_index::Place;
use crate::sender::{Pooled, Sender};
use crate::table::{Inclusion, Table};
use crate::view::AccountFacts;

/// A valid transaction with the account it was checked against.
#[derive(Clone, Debug)]
pub(crate) struct Newcomer {
    pub(crate) pooled: Pooled,
    pub(crate) facts: AccountFacts,
}

/// What an admission is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) config: &'a PoolConfig,
    /// Base fee of the next block, in wei.
    pub(crate) base_fee: u64,
    /// What the current head included.
    pub(crate) inclusion: &'a Inclusion,
}

/// What must leave to make room.
struct Plan {
    victims: Vec<Place>,
    displaced: Option<Place>,
}

impl Table {
    /// Takes `newcomer` and returns its sender's version, or refuses it and leaves the pool as it was.
    ///
    /// A full pool makes room by dropping the lowest effective prices at the terms' base fee. An executable
    /// newcomer displaces any parked transaction of other senders, then executable ones that pay
    /// strictly less; a parked newcomer displaces only parked ones that pay strictly less. Never is
    /// a predecessor of the newcomer dropped for it: then the newcomer is refused.
    pub(crate) fn admit(
        &mut self,
        newcomer: Newcomer,
        terms: Terms<'_>,
        events: &mut Events,
    ) -> Result<u64, PoolError> {
        let Newcomer { pooled, facts } = newcomer;
        let place = pooled.place();
        if self.contains(&pooled.tx.hash) {
            return Err(PoolError::AlreadyKnown(pooled.tx.hash));
        }
        self.update_sender(place.sender, facts, terms.inclusion, events);
        let old = self.at(place).map(|old| old.tx.clone());
        if let Some(old) = &old {
            check_replacement(old, &pooled.tx, terms.config.replacement_bump_percent)?;
        }
        let plan = self.plan(&pooled, facts, old.as_ref(), terms)?;
        if let Some(displaced) = plan.displaced {
            self.discard(displaced, DropReason::Displaced, events);
        }
        for victim in plan.victims {
            self.discard(victim, DropReason::Evicted, events);
        }
        if old.is_some() {
            self.replace(pooled, events);
        } else {
            self.insert(pooled, facts, events);
        }
        Ok(self.sender(place.sender).map_or(0, Sender::version))
    }

    fn plan(
        &self,
        pooled: &Pooled,
        facts: AccountFacts,
        old: Option<&SharedTx>,
        terms: Terms<'_>,
    ) -> Result<Plan, PoolError> {
        let Terms {
            config, base_fee, ..
        } = terms;
        let place = pooled.place();
        let displaced = match old {
            Some(_) => None,
            None => self.slot_to_free(place, config.sender_slots_max)?,
        };
        let leaving = old
            .map(|tx| tx.size_bytes())
            .or_else(|| Some(self.at(displaced?)?.tx.size_bytes()));
        let count_after = self.len() + 1 - usize::from(leaving.is_some());
        let size_after = self.size_bytes() + pooled.tx.size_bytes() - leaving.unwrap_or(0);
        let mut need = Need {
            count: count_after.saturating_sub(config.count_max),
            size_bytes: size_after.saturating_sub(config.size_bytes_max),
        };
        let mut plan = Plan {
            victims: Vec::new(),
            displaced,
        };
        if need.is_met() {
            return Ok(plan);
        }
        let price = pooled.prices.effective(base_fee);
        let executable_end = self
            .sender(place.sender)
            .map_or(facts.nonce, |sender| sender.executable_end);
        let executable = place.nonce <= executable_end;
        for (victim_price, victim) in self.parked().cheapest(base_fee) {
            if need.is_met() || (!executable && victim_price >= price) {
                break;
            }
            if victim.sender != place.sender {
                self.take_victim(victim, &mut need, &mut plan);
            }
        }
        if executable && !need.is_met() {
            for (victim_price, victim) in self.executable().cheapest(base_fee) {
                if need.is_met() || victim_price >= price || victim.sender == place.sender {
                    break;
                }
                self.take_victim(victim, &mut need, &mut plan);
            }
        }
        if need.is_met() {
            Ok(plan)
        } else {
            Err(PoolError::Full { price })
        }
    }

    fn take_victim(&self, victim: Place, need: &mut Need, plan: &mut Plan) {
        if let Some(pooled) = self.at(victim) {
            need.count = need.count.saturating_sub(1);
            need.size_bytes = need.size_bytes.saturating_sub(pooled.tx.size_bytes());
            plan.victims.push(victim);
        }
    }

    /// With all slots of the sender taken, its highest nonce gives way to a lower one. Such a nonce
    /// is always parked: a lower free place means a gap before it.
    fn slot_to_free(&self, place: Place, slots: usize) -> Result<Option<Place>, PoolError> {
        let Some(sender) = self.sender(place.sender) else {
            return Ok(None);
        };
        if sender.txs.len() < slots {
            return Ok(None);
        }
        match sender.txs.last() {
            Some(highest) if highest.nonce > place.nonce => Ok(Some(highest.place())),
            _ => Err(PoolError::SenderLimit {
                address: place.sender,
                limit: slots,
            }),
        }
    }
}

/// Room still to be made.
struct Need {
    count: usize,
    size_bytes: u64,
}

impl Need {
    const fn is_met(&self) -> bool {
        self.count == 0 && self.size_bytes == 0
    }
}

/// `price` raised by `percent`, rounded up.
fn bumped(price: u128, percent: u64) -> u128 {
    let percent = u128::from(percent);
    let whole = (price / 100).saturating_mul(percent);
    let rest = (price % 100 * percent).div_ceil(100);
    price.saturating_add(whole).saturating_add(rest)
}

fn check_replacement(old: &SharedTx, new: &SharedTx, percent: u64) -> Result<(), PoolError> {
    let caps = |tx: &SharedTx| {
        let fee_cap = tx.envelope.max_fee_per_gas();
        (
            fee_cap,
            tx.envelope.max_priority_fee_per_gas().unwrap_or(fee_cap),
        )
    };
    let (old_fee_cap, old_tip) = caps(old);
    let (fee_cap, tip) = caps(new);
    // A tip of zero may stay zero, but a replacement always costs more in the fee cap.
    let fee_cap_needed = bumped(old_fee_cap, percent).max(old_fee_cap.saturating_add(1));
    let tip_needed = bumped(old_tip, percent);
    if fee_cap < fee_cap_needed || tip < tip_needed {
        return Err(PoolError::ReplacementUnderpriced {
            fee_cap_needed,
            tip_needed,
        });
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
