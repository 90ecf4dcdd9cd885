//! What a run showed: figures and broken promises.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::{HostileRecord, Machine, Percentiles, RunPlan, TroubleRecord};

/// A run's figures. Written and read as JSON; times are milliseconds unless a name says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was run.
    pub plan: RunPlan,
    /// Version text of the builder, if it gave one.
    pub client_version: Option<String>,
    /// First fork choice, in milliseconds since the epoch.
    pub started_unix_ms: u64,
    /// First fork choice to last answer, in seconds.
    pub duration_s: f64,
    /// Sealed load and gas.
    pub speed: Speed,
    /// The flashblock stream and its rhythm.
    pub stream: StreamFigures,
    /// Round trips of the Engine API and the slots.
    pub engine: EngineFigures,
    /// What became of the load.
    pub transactions: TransactionFigures,
    /// Whether the sealed chain is what the stream had promised.
    pub promises: PromiseFigures,
    /// What the processes used.
    pub usage: UsageFigures,
    /// The machine and its other load.
    pub machine: Machine,
    /// The second node's verdicts.
    pub validation: ValidationFigures,
    /// The crowd of subscribers, where there was one.
    #[serde(default)]
    pub crowd: Option<CrowdFigures>,
    /// What went wrong on purpose under load.
    #[serde(default)]
    pub trouble: TroubleRecord,
    /// The subscriber that was cut off, where there was one.
    #[serde(default)]
    pub resuming: Option<ResumingFigures>,
    /// Block by block.
    pub blocks: Vec<BlockFigures>,
}

/// Throughput of the blocks under load.
///
/// Nominal is by the blocks' planned time, `blocks * block time`: what a chain has whose slots do
/// not slip. By the clock is from the first block's fork choice to the last block's payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Blocks under load.
    pub blocks: u64,
    /// Transactions of the load that these blocks hold.
    pub sealed: u64,
    /// Gas used by these blocks, deposits included.
    pub gas: u64,
    /// Planned time of these blocks in seconds.
    pub nominal_s: f64,
    /// Their time by the clock in seconds.
    pub clock_s: f64,
    /// Sealed transactions a second, nominal.
    pub sealed_per_s: f64,
    /// Sealed transactions a second, by the clock.
    pub sealed_per_s_by_clock: f64,
    /// Million gas a second, nominal.
    pub mgas_per_s: f64,
    /// Million gas a second, by the clock.
    pub mgas_per_s_by_clock: f64,
    /// Gas used of the blocks' gas limits, 0 to 100.
    pub gas_limit_percent: f64,
}

/// The stream. Unless it says otherwise a figure looks at flashblocks of sealed blocks under load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamFigures {
    /// Frames of the whole run.
    pub frames: u64,
    /// Their size in bytes.
    pub frames_bytes: u64,
    /// Frames of the whole run that are no flashblock.
    pub frames_undecodable: u64,
    /// What is wrong with the first of them.
    pub first_undecodable: Option<String>,
    /// Flashblocks that were due after index 0.
    pub flashblocks_expected: u64,
    /// How many of those never came. A block with more than were due makes up for no other.
    pub flashblocks_missing: u64,
    /// Times in the whole run that an index came which does not follow the highest one before it
    /// (0 for the first of a payload).
    pub index_gaps: u64,
    /// Flashblocks of the whole run that came again with the same content.
    pub repeated: u64,
    /// Flashblocks of payloads that were never resolved; they promise nothing.
    pub unresolved: u64,
    /// Flashblocks of the whole run whose state root is zero.
    pub zero_roots: u64,
    /// Flashblocks that arrived after their block's payload had been handed out.
    pub after_seal: u64,
    /// Fork choice to flashblock 0.
    pub first_flashblock_ms: Option<Percentiles>,
    /// Fork choice to the first flashblock with a transaction of the load.
    pub first_load_ms: Option<Percentiles>,
    /// How far the time between two flashblocks is from the interval: of each two in a row, in order
    /// of arrival and across block borders, `|later - earlier - interval|`. Index 0 is left out, as
    /// it has no place in the rhythm. A flashblock that is missing shows as a deviation of one
    /// interval, and so does a pause that the builder plans at the end of each block.
    pub jitter_ms: Option<Percentiles>,
    /// How far flashblocks stray from the builder's own schedule: the time from the parent's
    /// timestamp to a flashblock's arrival, less the median of this time over all blocks for the
    /// same index, as an absolute value. Planned pauses and missing flashblocks do not show in it.
    pub schedule_jitter_ms: Option<Percentiles>,
    /// Longest time without any flashblock between the first block's fork choice and the last
    /// block's payload.
    pub longest_silence_ms: f64,
    /// Why the stream ended before the run did.
    pub ended_early: Option<String>,
}

/// Engine API, blocks under load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EngineFigures {
    /// Fork choice with attributes.
    pub fork_choice_ms: Option<Percentiles>,
    /// getPayload to the last byte of its answer.
    pub get_payload_ms: Option<Percentiles>,
    /// newPayload of the block just built.
    pub new_payload_ms: Option<Percentiles>,
    /// Fork choice that made the block the head.
    pub fork_choice_head_ms: Option<Percentiles>,
    /// Fork choices sent more than 10 ms after the parent's timestamp.
    pub slots_slipped: u64,
    /// The longest such delay.
    pub slip_max_ms: f64,
    /// Slots without a block.
    pub slots_missed: u64,
}

/// The load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransactionFigures {
    /// Transactions handed to the socket.
    pub sent: u64,
    /// Answered with a hash.
    pub accepted: u64,
    /// Never answered.
    pub unanswered: u64,
    /// Answered with an error.
    pub refused: u64,
    /// Refusals by message: the 20 most frequent ones.
    pub refusals: BTreeMap<String, u64>,
    /// In a sealed block of the whole run.
    pub sealed: u64,
    /// Accepted and in no sealed block of the whole run.
    pub lost: u64,
    /// Sent to first seen in a flashblock of a sealed block of the whole run; none where the pool was
    /// filled beforehand.
    pub send_to_flashblock_ms: Option<Percentiles>,
    /// Sent to its block's payload, of the whole run; none where the pool was filled beforehand.
    pub send_to_seal_ms: Option<Percentiles>,
}

/// Promises of the stream against the sealed chain, whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PromiseFigures {
    /// Transactions that were in a flashblock of a payload and are not in its sealed block.
    pub broken_preconfirmations: u64,
    /// Blocks whose transactions stand in another order than in their flashblocks.
    pub order_changes: u64,
    /// Flashblocks with a payload id and index that came before with another content.
    pub contradictions: u64,
    /// Transactions, deposits included, of sealed blocks that no flashblock of the payload held.
    pub unstreamed: u64,
    /// Sealed blocks with a state root of zero.
    pub sealed_zero_roots: u64,
    /// Payloads that could not be read.
    pub unreadable: u64,
    /// The first few cases in words.
    pub examples: Vec<String>,
}

/// What a process used between the first and the last block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessFigures {
    /// User and system time in seconds.
    pub cpu_s: f64,
    /// The same as a share of one core, 0 to 100 times the cores.
    pub core_percent: f64,
    /// Highest resident set in units of 10^6 bytes.
    pub rss_peak_mb: f64,
}

/// What ran beside what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageFigures {
    /// The builder, where its process is known.
    pub builder: Option<ProcessFigures>,
    /// The meter.
    pub meter: ProcessFigures,
    /// Everything else on the machine, as a share of one core, 0 to 100 times the cores.
    pub other_core_percent: f64,
}

/// What the second node said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValidationFigures {
    /// Blocks that were replayed into it.
    pub blocks: u64,
    /// Blocks that it did not call `VALID`.
    pub invalid: u64,
    /// Its first other answer, with the block number.
    pub first_invalid: Option<String>,
}

/// A subscriber that was cut off again and again, against the one that was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumingFigures {
    /// Connections it had.
    pub connections: u64,
    /// Flashblocks it had.
    pub flashblocks: u64,
    /// Times that it could not be sure to have missed nothing.
    pub gaps: u64,
    /// Flashblocks that the other one had since this one came, and this one not.
    pub missing: u64,
    /// Flashblocks it had more than once.
    pub repeated: u64,
    /// Flashblocks that were not the same to the byte.
    pub differing: u64,
    /// Flashblocks that came before one that stood in front of them.
    pub out_of_order: u64,
}

/// Many subscribers of the stream: flashblocks that came first to any of them after the load began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrowdFigures {
    /// Flashblocks.
    pub flashblocks: u64,
    /// Flashblocks times the members that got them.
    pub deliveries: u64,
    /// Deliveries of which no time was kept.
    pub unrecorded: u64,
    /// Times that a member's next flashblock did not follow its last one, whole run.
    pub gaps: u64,
    /// Members whose connection ended before the run did.
    pub lost: u64,
    /// Why the first of them ended.
    pub first_loss: Option<String>,
    /// The last byte of a flashblock at a member, behind the first member that had it.
    pub behind_first_ms: Option<Percentiles>,
    /// The same for the last member of each flashblock.
    pub last_behind_first_ms: Option<Percentiles>,
    /// What hostile peers met with.
    pub hostile: HostileRecord,
}

/// A block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockFigures {
    /// Block number.
    pub number: u64,
    /// Block hash.
    pub hash: B256,
    /// Whether it was built under load.
    pub under_load: bool,
    /// Transactions of the load.
    pub transactions: u64,
    /// Gas used.
    pub gas_used: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Transactions of the load a second, nominal.
    pub sealed_per_s: f64,
    /// Million gas a second, nominal.
    pub mgas_per_s: f64,
    /// Million gas a second, from the fork choice to the payload.
    pub mgas_per_s_by_clock: f64,
    /// Gas used of the gas limit, 0 to 100.
    pub gas_limit_percent: f64,
    /// Different indices above 0 that came.
    pub flashblocks: u64,
    /// How many of those that were due never came; 0 for a block not under load.
    pub flashblocks_missing: u64,
    /// Fork choice to flashblock 0.
    pub first_flashblock_ms: Option<f64>,
    /// Fork choice to the first flashblock with a transaction of the load.
    pub first_load_ms: Option<f64>,
    /// Delay of the fork choice.
    pub slip_ms: f64,
    /// Fork choice with attributes.
    pub fork_choice_ms: f64,
    /// getPayload.
    pub get_payload_ms: f64,
    /// newPayload.
    pub new_payload_ms: f64,
    /// Fork choice that made it the head.
    pub fork_choice_head_ms: f64,
    /// Size of the payload's JSON in bytes.
    pub envelope_bytes: u64,
}

impl Report {
    /// The report as indented JSON.
    ///
    /// # Errors
    /// Where a figure is not a finite number, which `analyze` never writes.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// Where `json` is no report, with the field and its position.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// Flashblocks without roots, where the plan says that every one has them.
    const fn roots_missing(&self) -> u64 {
        if self.plan.roots_required {
            self.stream.zero_roots
        } else {
            0
        }
    }

    /// What the resuming subscriber missed or had otherwise, a sentence each.
    fn violations_of_resuming(&self) -> Vec<String> {
        let Some(resuming) = &self.resuming else {
            return Vec::new();
        };
        [
            (resuming.missing, "missed"),
            (resuming.repeated, "had twice"),
            (resuming.differing, "had with another content"),
            (resuming.out_of_order, "had out of order"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} flashblocks that the resuming subscriber {what}"))
        .collect()
    }

    /// Every way in which the builder was incorrect, a sentence each; empty for a correct run.
    /// Times, missing flashblocks and refused transactions are figures and never in here.
    pub fn violations(&self) -> Vec<String> {
        let counted = [
            (
                self.promises.broken_preconfirmations,
                "transactions of flashblocks are missing in their sealed block",
            ),
            (
                self.promises.order_changes,
                "sealed blocks have another order than their flashblocks",
            ),
            (
                self.promises.contradictions,
                "flashblocks contradict an earlier one of the same payload and index",
            ),
            (
                self.stream.index_gaps,
                "flashblocks do not follow the index before them",
            ),
            (
                self.promises.unstreamed,
                "sealed transactions were in no flashblock",
            ),
            (
                self.promises.sealed_zero_roots,
                "sealed blocks have a state root of zero",
            ),
            (self.roots_missing(), "flashblocks carry no state root"),
            (self.promises.unreadable, "payloads cannot be read"),
            (
                self.transactions.lost,
                "accepted transactions were never sealed",
            ),
            (self.stream.frames_undecodable, "frames are no flashblock"),
            (
                self.validation.invalid,
                "blocks are not valid for the second node",
            ),
        ];
        let mut violations: Vec<_> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if let Some(crowd) = self.crowd.as_ref().filter(|crowd| crowd.gaps > 0) {
            let gaps = crowd.gaps;
            violations.push(format!(
                "{gaps} flashblocks at other subscribers do not follow the one before them"
            ));
        }
        violations.extend(self.violations_of_resuming());
        if let Some(reason) = &self.stream.ended_early {
            violations.push(format!("the stream ended before the run: {reason}"));
        }
        if self.blocks.is_empty() {
            violations.push("no block was built".to_owned());
        } else if self.transactions.sent > 0 && self.transactions.sealed == 0 {
            violations.push("nothing of the load was sealed".to_owned());
        }
        violations
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::fixture::{honest, record};

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let report = analyze(&record(&honest(3)));
        let json = report.to_json().unwrap();
        assert_eq!(Report::from_json(&json).unwrap(), report);
        assert!(json.contains("\"send_to_flashblock_ms\""));
    }

    #[test]
    fn what_is_no_report_is_refused_by_field() {
        let error = Report::from_json("{\"plan\":{}}").unwrap_err();
        assert!(error.to_string().contains("name"), "{error}");
    }
}
