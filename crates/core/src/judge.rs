//! Deciding about a candidate before it runs.

use blockwright_seams::{Admission, Host, OpenBlock, SlotView};
use blockwright_types::{Dimension, Gas, SkipReason, UnixUs, Usage};

use crate::job::{Job, SimOf};
use crate::ready::Entry;

/// What to do with a selected candidate.
pub(crate) enum Judgement {
    /// Run it; `oversized` waives the slot's share.
    Run { oversized: bool },
    /// Keep it for a later flashblock of this block.
    Later(SkipReason, u64),
    /// Not in this block.
    Never(SkipReason),
}

impl<H: Host> Job<H> {
    /// Decides about a candidate before it runs.
    pub(crate) fn judge(
        &mut self,
        entry: &Entry<SimOf<H>>,
        now: UnixUs,
        cut_at: UnixUs,
    ) -> Judgement {
        let Some(part) = &self.part else {
            return Judgement::Never(SkipReason::WouldOverrun);
        };
        let slot = part.slot;
        let used = self.open.usage();
        let tx = &entry.candidate.tx;
        if tx.da > self.block.da_tx {
            return Judgement::Never(SkipReason::OverBudget(Dimension::DaBytes));
        }
        let scalar = self.open.da_footprint_gas_scalar();
        let least = |gas: Gas| Usage {
            gas,
            da: tx.da,
            da_footprint: Gas(tx.da.0.saturating_mul(scalar)),
            size_bytes: tx.size_bytes(),
        };
        // The protocol charges the whole gas limit against the room that is left.
        if let Some(over) = self.block.exceeded_by(&used.plus(least(tx.gas_limit()))) {
            return Judgement::Never(SkipReason::OverBudget(over));
        }
        let view = SlotView {
            index: slot.index,
            base_fee: self.open.context().base_fee,
            usage: used,
            slot: slot.budget,
            block: self.block,
        };
        let oversized = match self.policy.admit(&entry.candidate, &view) {
            Admission::Admit => false,
            Admission::AdmitOversized => true,
            Admission::Defer(reason) => return Judgement::Later(reason, slot.index + 1),
            Admission::Refuse(reason) => return Judgement::Never(reason),
        };
        let known_gas = if entry.measured { entry.gas } else { 0 };
        let adds = least(Gas(known_gas));
        if !oversized && let Some(over) = slot.budget.exceeded_by(&used.plus(adds)) {
            let until_index = self.first_index_with_room(adds);
            return Judgement::Later(SkipReason::OverBudget(over), until_index);
        }
        if now.plus_us(self.cost_us(entry)) > cut_at {
            return self.overrun(entry, slot.index);
        }
        Judgement::Run { oversized }
    }

    /// What running the candidate may take: measured, or the worst for its gas limit. A measurement
    /// above that worst is taken for the thread's having been kept waiting, until the candidate was
    /// put off for it once.
    pub(crate) fn cost_us(&self, entry: &Entry<SimOf<H>>) -> u64 {
        let worst_us = self.pace.worst_us(entry.candidate.tx.gas_limit().0);
        let most_us = if entry.overran { u64::MAX } else { worst_us };
        entry.cost_us.map_or(worst_us, |cost_us| {
            cost_us.saturating_add(cost_us / 4).min(most_us)
        })
    }

    /// A candidate that could overrun the cut is the first to run in the next flashblock, which
    /// then knows its true cost; one that would not fit a whole slot is refused.
    fn overrun(&self, entry: &Entry<SimOf<H>>, index: u64) -> Judgement {
        let slot_us = self.slot_us();
        let likely_us = if entry.measured {
            self.cost_us(entry)
        } else {
            self.pace.likely_us(entry.candidate.tx.gas_limit().0)
        };
        if likely_us > slot_us {
            return Judgement::Never(SkipReason::WouldOverrun);
        }
        Judgement::Later(SkipReason::WouldOverrun, index + 1)
    }

    /// Microseconds of a slot in which transactions may run.
    pub(crate) fn slot_us(&self) -> u64 {
        self.config.interval_us.saturating_sub(self.lead_us())
    }

    /// The first later flashblock whose share holds `adds` on top of what is used already.
    pub(crate) fn first_index_with_room(&self, adds: Usage) -> u64 {
        let next = self.part.as_ref().map_or(1, |part| part.slot.index + 1);
        let shares = self.shares();
        let total = self.open.usage().plus(adds);
        (next..=self.plan.len())
            .find(|index| {
                let budget = shares.slot(*index, self.plan.len());
                budget.exceeded_by(&total).is_none()
            })
            .unwrap_or_else(|| self.plan.len() + 1)
    }
}
