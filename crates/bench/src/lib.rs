#![doc = include_str!("../README.md")]

mod analyze;
pub use analyze::analyze;

mod clock;

mod compare;
pub use compare::compare;

mod contracts;
pub use contracts::{COMPUTE, Call, RECORDS, TOKEN, balance_slot, contracts};

mod error;
pub use error::BenchError;

mod feed;
pub use feed::Feed;

mod figures;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fixture;

mod genesis;

mod numbers;

mod percentiles;
pub use percentiles::Percentiles;

mod plan;
pub use plan::{ChainPlan, Load, Pace, PlanError, RunPlan, Target, Timing};

mod progress;
pub use progress::Progress;

mod record;
pub use record::{
    BlockRecord, Frame, Machine, ProcessUsage, RunRecord, SentTransaction, TxOutcome, Validation,
};

mod report;
pub use report::{
    BlockFigures, EngineFigures, ProcessFigures, PromiseFigures, Report, Speed, StreamFigures,
    TransactionFigures, UsageFigures, ValidationFigures,
};

mod sets;
pub use sets::{quick_set, standard_set};

mod sign;

mod table;
pub use table::table;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;

mod workload;
pub use workload::{FLOOD_TX_PER_S, Workload};
