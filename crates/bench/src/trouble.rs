//! What goes wrong in a run on purpose. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timing;
use crate::workload::draw::SplitMix;

/// Keeps the dice apart from those of the load, which follow from the same seed.
const SALT: u64 = 0x7472_6f75_626c_6521;

/// A late fork choice leaves at least a tenth of the block time.
const LATE_MAX_PERMILLE: u64 = 900;

/// What goes wrong, by dice that follow from the plan's seed and the slot's timestamp alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TroublePlan {
    /// Of 100 slots, those whose fork choice comes late, by up to nine tenths of the block time.
    pub late_fork_choices_percent: u8,
    /// Of 100 slots, those whose payload comes to nothing: it is never asked for, or overtaken by other
    /// attributes, or handed out and never imported.
    pub dropped_payloads_percent: u8,
    /// A further subscriber is cut off after every so many milliseconds, and resumes; 0 for none.
    pub cut_every_ms: u64,
}

/// What happened of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleRecord {
    /// Fork choices that were sent late.
    pub late_fork_choices: u64,
    /// Payloads that were never asked for.
    pub never_asked: u64,
    /// Payloads that were overtaken by other attributes.
    pub overtaken: u64,
    /// Payloads that were handed out and never imported.
    pub never_imported: u64,
}

/// How a payload comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// The slot passes without getPayload.
    NeverAsked,
    /// In the middle of the slot a fork choice with other attributes comes.
    Overtaken,
    /// What getPayload gave is thrown away.
    NeverImported,
}

/// What goes wrong in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SlotTrouble {
    /// The fork choice is sent so much later.
    pub(crate) late: Duration,
    /// The payload comes to nothing.
    pub(crate) dropped: Option<Dropped>,
}

impl TroublePlan {
    /// What goes wrong in the slot that ends at `timestamp_s`.
    pub(crate) fn slot(&self, seed: u64, timing: &Timing, timestamp_s: u64) -> SlotTrouble {
        let mut dice = SplitMix::new(seed ^ SALT, timestamp_s);
        let mut falls = |percent: u8| dice.below(100) < u64::from(percent);
        let (is_late, is_dropped) = (
            falls(self.late_fork_choices_percent),
            falls(self.dropped_payloads_percent),
        );
        let late_max_ms = timing.block_time_s * LATE_MAX_PERMILLE;
        let late_ms = dice.below(late_max_ms.max(1)) + 1;
        let dropped = match dice.below(3) {
            0 => Dropped::NeverAsked,
            1 => Dropped::Overtaken,
            _ => Dropped::NeverImported,
        };
        SlotTrouble {
            late: Duration::from_millis(if is_late { late_ms } else { 0 }),
            dropped: is_dropped.then_some(dropped),
        }
    }
}

impl TroubleRecord {
    /// Counts what went wrong in a slot.
    pub(crate) fn count(&mut self, trouble: SlotTrouble) {
        self.late_fork_choices += u64::from(!trouble.late.is_zero());
        match trouble.dropped {
            None => {}
            Some(Dropped::NeverAsked) => self.never_asked += 1,
            Some(Dropped::Overtaken) => self.overtaken += 1,
            Some(Dropped::NeverImported) => self.never_imported += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing {
        block_time_s: 2,
        interval_ms: 200,
        seal_margin_ms: 50,
    };

    fn of_slots(plan: TroublePlan) -> TroubleRecord {
        let mut record = TroubleRecord::default();
        for timestamp_s in 0..10_000 {
            let trouble = plan.slot(7, &TIMING, timestamp_s);
            assert!(trouble.late <= Duration::from_millis(1_800), "{trouble:?}");
            assert_eq!(trouble, plan.slot(7, &TIMING, timestamp_s));
            record.count(trouble);
        }
        record
    }

    #[test]
    fn as_much_goes_wrong_as_was_asked_for_in_all_ways() {
        let record = of_slots(TroublePlan {
            late_fork_choices_percent: 20,
            dropped_payloads_percent: 30,
            cut_every_ms: 0,
        });
        assert!(
            (1_800..2_200).contains(&record.late_fork_choices),
            "{record:?}"
        );
        for count in [record.never_asked, record.overtaken, record.never_imported] {
            assert!((850..1_150).contains(&count), "{record:?}");
        }
    }

    #[test]
    fn nothing_goes_wrong_unless_asked_for_and_always_where_it_is() {
        assert_eq!(of_slots(TroublePlan::default()), TroubleRecord::default());
        let always = of_slots(TroublePlan {
            late_fork_choices_percent: 100,
            ..TroublePlan::default()
        });
        assert_eq!(always.late_fork_choices, 10_000);
    }
}
