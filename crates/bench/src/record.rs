//! What a run saw, raw. Figures are computed from it afterwards.

use alloy_primitives::B256;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{CrowdRecord, ResumingRecord, RunPlan, TroubleRecord};

/// What the builder answered to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxOutcome {
    /// Not sent before the run ended.
    Unsent,
    /// Sent; the answer never came.
    Unanswered,
    /// A transaction hash came back.
    Accepted,
    /// A JSON-RPC error came back.
    Refused {
        /// Its message.
        message: String,
    },
}

/// A transaction of the load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentTransaction {
    /// Its hash.
    pub hash: B256,
    /// When the last byte of its batch was handed to the socket, in microseconds since the epoch; 0
    /// where unsent. Of a transaction sent more than once, the first time.
    pub sent_us: u64,
    /// What came back, in the end.
    pub outcome: TxOutcome,
}

/// A block as the consensus client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRecord {
    /// Block number.
    pub number: u64,
    /// Block hash.
    pub hash: B256,
    /// Timestamp in seconds.
    pub timestamp_s: u64,
    /// Payload id the builder gave.
    pub payload_id: [u8; 8],
    /// When the fork choice with attributes was sent, in microseconds since the epoch.
    pub started_us: u64,
    /// When the last byte of getPayload's answer was there, in microseconds since the epoch.
    pub sealed_us: u64,
    /// How much later than the parent's timestamp the fork choice was sent, in microseconds.
    pub slip_us: u64,
    /// Round trip of the fork choice with attributes, in microseconds.
    pub fork_choice_us: u64,
    /// Round trip of getPayload, in microseconds, up to the last byte of its answer.
    pub get_payload_us: u64,
    /// Round trip of newPayload, in microseconds.
    pub new_payload_us: u64,
    /// Round trip of the fork choice that made the block the head, in microseconds.
    pub fork_choice_head_us: u64,
    /// `result` of getPayload: the envelope's JSON.
    pub envelope: Bytes,
}

/// A frame of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When its last byte was read, in microseconds since the epoch.
    pub at_us: u64,
    /// Its content.
    pub bytes: Bytes,
}

/// What a process used between the first and the last block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessUsage {
    /// User and system time in seconds.
    pub cpu_s: f64,
    /// Highest resident set in bytes (`VmHWM`, reset at the start where the kernel permits).
    pub rss_peak_bytes: u64,
}

/// The machine and what else it did during the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Processor model.
    pub cpu: String,
    /// Logical processors.
    pub cores: usize,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Kernel release.
    pub kernel: String,
    /// Busy time of all processors less that of the builder and the meter, in seconds.
    pub other_cpu_s: f64,
}

/// What the second node said of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Block number.
    pub number: u64,
    /// `VALID`, or what came instead.
    pub status: String,
}

/// A run.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// What was to be done.
    pub plan: RunPlan,
    /// Version text of the builder (`web3_clientVersion`), if it gave one.
    pub client_version: Option<String>,
    /// First fork choice, in microseconds since the epoch.
    pub started_us: u64,
    /// Last answer, in microseconds since the epoch.
    pub ended_us: u64,
    /// All transactions of the load in the order they were to be sent.
    pub transactions: Vec<SentTransaction>,
    /// All blocks in order. The last ones may be built after sending ended, so that accepted
    /// transactions can still be sealed.
    pub blocks: Vec<BlockRecord>,
    /// How many of `blocks` were built under load; figures of speed look at these only.
    pub blocks_under_load: usize,
    /// Slots in which no block could be built in time.
    pub slots_missed: u64,
    /// All frames in order.
    pub frames: Vec<Frame>,
    /// Why the stream ended before the run did.
    pub stream_error: Option<String>,
    /// What the plan's crowd saw.
    pub crowd: CrowdRecord,
    /// What went wrong on purpose.
    pub trouble: TroubleRecord,
    /// What the subscriber that was cut off saw, where there was one.
    pub resuming: Option<ResumingRecord>,
    /// Use of the builder, where its process is known.
    pub builder: Option<ProcessUsage>,
    /// Use of the meter.
    pub meter: ProcessUsage,
    /// The machine.
    pub machine: Machine,
    /// Verdicts of the second node, where there was one.
    pub validations: Vec<Validation>,
}
