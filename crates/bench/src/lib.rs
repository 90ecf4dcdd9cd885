#![doc = include_str!("../README.md")]

mod plan;
pub use plan::{ChainPlan, Load, Pace, PlanError, RunPlan, Target, Timing};

mod record;
pub use record::{
    BlockRecord, Frame, Machine, ProcessUsage, RunRecord, SentTransaction, TxOutcome, Validation,
};
