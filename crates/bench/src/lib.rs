#![doc = include_str!("../README.md")]

mod analyze;
pub use analyze::analyze;

mod attributes;

mod builder_process;

mod chain_reader;

mod clock;

mod compare;
pub use compare::compare;

mod contracts;
pub use contracts::{COMPUTE, Call, RECORDS, TOKEN, balance_slot, contracts};

mod crowd;
pub use crowd::{CrowdPlan, CrowdRecord, Delivery, FlashblockKey, HostileRecord};

mod docs_table;
pub use docs_table::{Provenance, docs_tables, replace_between_markers};

mod engine_client;

mod envelope;

mod error;
pub use error::BenchError;

mod feed;
pub use feed::Feed;

mod figures;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fixture;

mod genesis;

mod json_rpc;

mod json_scan;

mod local;
pub use local::{BuilderProgram, LocalBuilder};

mod machine;

mod numbers;

mod percentiles;
pub use percentiles::Percentiles;

mod plan;
pub use plan::{ChainPlan, Load, Pace, PlanError, RunPlan, Target, Timing};

mod player;

mod process;

mod progress;
pub use progress::Progress;

mod record;
pub use record::{
    BlockRecord, Frame, Machine, ProcessUsage, RunRecord, SentTransaction, TxOutcome, Validation,
};

mod recorder;

mod report;
pub use report::{
    BlockFigures, CrowdFigures, EngineFigures, ProcessFigures, PromiseFigures, Report,
    ResumingFigures, Speed, StreamFigures, TransactionFigures, UsageFigures, ValidationFigures,
};

mod resuming;
pub use resuming::{ResumingRecord, SeenFrame};

mod run;
pub use run::run;

mod session;

mod sets;
pub use sets::{hosts_set, quick_set, standard_set};

mod sign;

mod slot;

mod table;
pub use table::table;

mod target_check;

mod terminal_progress;
pub use terminal_progress::TerminalProgress;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;

mod trouble;
pub use trouble::{TroublePlan, TroubleRecord};

mod usage;

mod validate;

mod warm_memory;

mod workload;
pub use workload::{FLOOD_TX_PER_S, Workload};
