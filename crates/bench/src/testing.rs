//! What tests of this crate share.

use blockwright_types::OpFork;

use crate::{ChainPlan, CrowdPlan, Load, Pace, RunPlan, Timing, TroublePlan};

/// A small plan: 50 senders, batches of 100 over 4 connections, ten blocks of a second.
pub(crate) fn plan(pace: Pace) -> RunPlan {
    RunPlan {
        name: "test".to_owned(),
        load: Load::Transfers,
        pace,
        chain: ChainPlan {
            fork: OpFork::Karst,
            chain_id: 901,
            gas_limit: 1_000_000_000,
            senders: 50,
            accounts: 0,
            seed: 7,
        },
        timing: Timing {
            block_time_s: 1,
            interval_ms: 250,
            seal_margin_ms: 50,
        },
        blocks: 10,
        batch: 100,
        connections: 4,
        roots_required: false,
        builder_args: Vec::new(),
        crowd: CrowdPlan::default(),
        trouble: TroublePlan::default(),
    }
}
