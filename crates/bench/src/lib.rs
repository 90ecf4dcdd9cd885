#![doc = include_str!("../README.md")]

mod analyze;
pub use analyze::analyze;

mod compare;
pub use compare::compare;

mod figures;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fixture;

mod numbers;

mod percentiles;
pub use percentiles::Percentiles;

mod plan;
pub use plan::{ChainPlan, Load, Pace, PlanError, RunPlan, Target, Timing};

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

mod table;
pub use table::table;
