//! Which fork's rules are in force when.

use blockwright_types::OpFork;

/// Activation timestamps (seconds since the Unix epoch) of the forks of one chain.
///
/// Bedrock is always active; times never decrease from fork to fork and a fork is only scheduled
/// where all earlier ones are (see [`crate::GenesisError`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkSchedule {
    times: [Option<u64>; OpFork::ALL.len()],
}

impl ForkSchedule {
    /// A schedule with every fork up to `fork` active from timestamp 0 and none later.
    pub fn active_from_start(fork: OpFork) -> Self {
        let mut times = [None; OpFork::ALL.len()];
        for earlier in OpFork::ALL.into_iter().filter(|earlier| *earlier <= fork) {
            times[earlier as usize] = Some(0);
        }
        Self { times }
    }

    /// A schedule from times in fork order, the entry of Bedrock included.
    pub(crate) const fn from_times(times: [Option<u64>; OpFork::ALL.len()]) -> Self {
        Self { times }
    }

    /// When `fork` activates; `None` where it is not scheduled.
    pub const fn activation_time(&self, fork: OpFork) -> Option<u64> {
        self.times[fork as usize]
    }

    /// Whether `fork`'s rules hold in a block with this timestamp.
    pub fn is_active(&self, fork: OpFork, timestamp: u64) -> bool {
        self.activation_time(fork)
            .is_some_and(|time| time <= timestamp)
    }

    /// The newest fork whose rules hold in a block with this timestamp.
    pub fn fork_at(&self, timestamp: u64) -> OpFork {
        OpFork::ALL
            .into_iter()
            .rev()
            .find(|fork| self.is_active(*fork, timestamp))
            .unwrap_or(OpFork::Bedrock)
    }

    /// The fork that a block with `timestamp` on a parent with `parent_timestamp` activates.
    ///
    /// Where one block activates several at once: Canyon if it is among them (the one fork whose
    /// activation itself changes state, by the create2 deployer), else the newest.
    pub fn activation(&self, parent_timestamp: u64, timestamp: u64) -> Option<OpFork> {
        let before = self.fork_at(parent_timestamp);
        let now = self.fork_at(timestamp);
        if before < OpFork::Canyon && now >= OpFork::Canyon {
            Some(OpFork::Canyon)
        } else {
            (now > before).then_some(now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> ForkSchedule {
        let mut times = [None; OpFork::ALL.len()];
        times[OpFork::Bedrock as usize] = Some(0);
        times[OpFork::Regolith as usize] = Some(0);
        times[OpFork::Canyon as usize] = Some(100);
        times[OpFork::Ecotone as usize] = Some(200);
        times[OpFork::Fjord as usize] = Some(200);
        ForkSchedule::from_times(times)
    }

    #[test]
    fn a_fork_holds_from_its_very_second() {
        let schedule = schedule();
        assert_eq!(schedule.fork_at(0), OpFork::Regolith);
        assert_eq!(schedule.fork_at(99), OpFork::Regolith);
        assert_eq!(schedule.fork_at(100), OpFork::Canyon);
        assert_eq!(schedule.fork_at(199), OpFork::Canyon);
        assert_eq!(schedule.fork_at(200), OpFork::Fjord);
        assert_eq!(schedule.fork_at(u64::MAX), OpFork::Fjord);
    }

    #[test]
    fn only_the_first_block_of_a_fork_activates_it() {
        let schedule = schedule();
        assert_eq!(schedule.activation(97, 99), None);
        assert_eq!(schedule.activation(99, 101), Some(OpFork::Canyon));
        assert_eq!(schedule.activation(101, 103), None);
        assert_eq!(schedule.activation(101, 300), Some(OpFork::Fjord));
        assert_eq!(schedule.activation(98, 300), Some(OpFork::Canyon));
    }

    #[test]
    fn active_from_start_stops_at_the_fork() {
        for fork in OpFork::ALL {
            let schedule = ForkSchedule::active_from_start(fork);
            assert_eq!(schedule.fork_at(0), fork);
            assert_eq!(schedule.fork_at(u64::MAX), fork);
        }
    }
}
