//! The runs whose figures are published, and a short form of them for the tests.

use blockwright_types::OpFork;

use crate::{ChainPlan, CrowdPlan, Load, Pace, RunPlan, Timing, TroublePlan};

/// 1 s blocks with 250 ms flashblocks.
const ONE_SECOND: Timing = Timing {
    block_time_s: 1,
    interval_ms: 250,
    seal_margin_ms: 50,
};
/// 2 s blocks with 200 ms flashblocks.
const TWO_SECONDS: Timing = Timing {
    block_time_s: 2,
    interval_ms: 200,
    seal_margin_ms: 50,
};
/// 1 s blocks with 50 ms flashblocks. The payload is asked for 15 ms before the block's time: a
/// larger margin alone would cost an interval.
const SHORT_INTERVAL: Timing = Timing {
    block_time_s: 1,
    interval_ms: 50,
    seal_margin_ms: 15,
};
/// With [`SHORT_INTERVAL`] the last flashblock is due 25 ms before the block's time, 10 ms before
/// the payload is asked for.
const SHORT_END_MARGIN: &str = "--flashblocks.end-margin=25ms";

/// Seconds under load.
const LOAD_S: u64 = 20;
const GGAS: u64 = 1_000_000_000;
/// What a chain has that is not flooded.
const GAS_LIMIT: u64 = 60_000_000;
/// Accounts in the state of the large runs.
const ACCOUNTS: u32 = 1_000_000;
/// In the pool during a flood: more than one second of the fastest load.
const PENDING: u64 = 50_000;
/// The same for transactions of 0.25 Mgas and more.
const PENDING_HEAVY: u64 = 20_000;
/// In the pool before a run without senders, for six blocks at the speed of the limits.
const PREFILLED: u64 = 200_000;

/// What is published in docs/benchmarks.md: about ten minutes on two cores, each run with 20 s of load
/// from 5,000 senders in batches of 100. Isthmus, because Jovian's DA footprint would limit a 1 Ggas
/// block to 25,000 transactions whatever the builder can do.
pub fn standard_set() -> Vec<RunPlan> {
    let mut set = Vec::new();
    for (timing, rhythm) in [(ONE_SECOND, "1 s / 250 ms"), (TWO_SECONDS, "2 s / 200 ms")] {
        let named = |what: &str| format!("{what}, {rhythm}");
        let mut slow = plan(
            named("100 tx/s transfers"),
            Load::Transfers,
            rate(100.0),
            timing,
        );
        slow.chain.gas_limit = GAS_LIMIT;
        set.push(slow);
        set.push(plan(
            named("2,000 tx/s transfers"),
            Load::Transfers,
            rate(2_000.0),
            timing,
        ));
        for (what, load) in [
            ("flood of transfers", Load::Transfers),
            ("flood of ERC-20 transfers", Load::Erc20),
        ] {
            let pending = timing.block_time_s * PENDING;
            let mut flooded = plan(named(what), load, flood(pending), timing);
            // 1 Ggas a second: the same room whatever the block time.
            flooded.chain.gas_limit = timing.block_time_s * GGAS;
            set.push(flooded);
        }
    }
    let mut short = plan(
        "2,000 tx/s transfers, 1 s / 50 ms".to_owned(),
        Load::Transfers,
        rate(2_000.0),
        SHORT_INTERVAL,
    );
    short.builder_args = vec![SHORT_END_MARGIN.to_owned()];
    set.push(short);
    for (what, load) in [
        ("flood of transfers, 1,000,000 accounts", Load::Transfers),
        ("flood of ERC-20 transfers, 1,000,000 accounts", Load::Erc20),
    ] {
        let mut large = plan(what.to_owned(), load, flood(PENDING), ONE_SECOND);
        large.chain.accounts = ACCOUNTS;
        set.push(large);
    }
    set.extend(other_loads());
    set
}

/// What several builders are measured with one after the other: two rates, two floods, and one flood on a
/// larger state. Isthmus, as in [`standard_set`].
pub fn hosts_set() -> Vec<RunPlan> {
    let own = |what: &str, load, pace| plan(what.to_owned(), load, pace, ONE_SECOND);
    let mut slow = own("100 tx/s transfers", Load::Transfers, rate(100.0));
    slow.chain.gas_limit = GAS_LIMIT;
    let mut large = own(
        "flood of transfers, 200,000 accounts",
        Load::Transfers,
        flood(PENDING),
    );
    large.chain.accounts = ACCOUNTS / 5;
    vec![
        slow,
        own("2,000 tx/s transfers", Load::Transfers, rate(2_000.0)),
        own("flood of transfers", Load::Transfers, flood(PENDING)),
        own("flood of ERC-20 transfers", Load::Erc20, flood(PENDING)),
        large,
    ]
}

/// Loads that are run at one rhythm only.
fn other_loads() -> Vec<RunPlan> {
    let flooded =
        |what: &str, load, pending| plan(what.to_owned(), load, flood(pending), ONE_SECOND);
    let mut new_slots = flooded("flood of ten new slots", Load::NewSlots, PENDING_HEAVY);
    // 5,000 of them are 1.3 Ggas: the gas limit must not be what is measured.
    new_slots.chain.gas_limit = 3 * GGAS;
    let mut compute = flooded("flood of computation", Load::Compute, PENDING_HEAVY / 4);
    compute.chain.gas_limit = 3 * GGAS;
    let mut prefilled = plan(
        "pool filled beforehand, transfers".to_owned(),
        Load::Transfers,
        Pace::Prefilled { count: PREFILLED },
        ONE_SECOND,
    );
    prefilled.blocks = 6;
    vec![
        flooded("flood of fresh receivers", Load::FreshReceivers, PENDING),
        new_slots,
        prefilled,
        compute,
        flooded("mixed flood", Load::Mixed, PENDING),
    ]
}

/// A minute in all, small enough for a debug build on a busy machine. Its verdict is
/// [`crate::Report::violations`]; its times say nothing.
pub fn quick_set() -> Vec<RunPlan> {
    let shorten = |mut plan: RunPlan, seconds: u64| {
        plan.blocks = seconds / plan.timing.block_time_s;
        plan.chain.senders = 100;
        plan.chain.gas_limit = GAS_LIMIT;
        plan.batch = 20;
        plan
    };
    let named = |what: &str| format!("quick {what}");
    let mut accounts = plan(
        named("flood of ERC-20 transfers"),
        Load::Erc20,
        flood(500),
        ONE_SECOND,
    );
    accounts.chain.accounts = 1_000;
    let prefilled = Pace::Prefilled { count: 1_000 };
    vec![
        shorten(
            plan(named("transfers"), Load::Transfers, rate(200.0), ONE_SECOND),
            6,
        ),
        shorten(accounts, 6),
        shorten(
            plan(named("mixed"), Load::Mixed, rate(100.0), TWO_SECONDS),
            8,
        ),
        shorten(
            plan(named("new slots"), Load::NewSlots, flood(100), ONE_SECOND),
            4,
        ),
        shorten(
            plan(
                named("prefilled"),
                Load::FreshReceivers,
                prefilled,
                ONE_SECOND,
            ),
            4,
        ),
    ]
}

const fn rate(tx_per_s: f64) -> Pace {
    Pace::Rate { tx_per_s }
}

const fn flood(pending_max: u64) -> Pace {
    Pace::Flood { pending_max }
}

fn plan(name: String, load: Load, pace: Pace, timing: Timing) -> RunPlan {
    RunPlan {
        name,
        load,
        pace,
        chain: ChainPlan {
            fork: OpFork::Isthmus,
            chain_id: 901,
            gas_limit: GGAS,
            senders: 5_000,
            accounts: 0,
            seed: 1,
        },
        timing,
        blocks: LOAD_S / timing.block_time_s,
        batch: 100,
        connections: 4,
        roots_required: false,
        builder_args: Vec::new(),
        crowd: CrowdPlan::default(),
        trouble: TroublePlan::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn seconds(plan: &RunPlan) -> u64 {
        plan.blocks * plan.timing.block_time_s
    }

    #[test]
    fn every_plan_can_be_run_and_has_its_own_name() {
        let all: Vec<_> = standard_set().into_iter().chain(quick_set()).collect();
        for plan in &all {
            assert_eq!(plan.validate(), Ok(()), "{}", plan.name);
        }
        let names: BTreeSet<_> = all.iter().map(|plan| &plan.name).collect();
        assert_eq!(names.len(), all.len());
        for plan in hosts_set() {
            assert_eq!(plan.validate(), Ok(()), "{}", plan.name);
            // Other builders do not know our arguments.
            assert!(plan.builder_args.is_empty());
        }
    }

    #[test]
    fn the_sets_last_as_long_as_they_say() {
        let standard: u64 = standard_set().iter().map(seconds).sum();
        assert!((240..=420).contains(&standard), "{standard} s of load");
        let quick: u64 = quick_set().iter().map(seconds).sum();
        assert!(quick <= 30, "{quick} s of load");
    }

    #[test]
    fn the_short_interval_leaves_time_between_last_flashblock_and_payload() {
        let standard = standard_set();
        let with_args = standard.iter().filter(|plan| !plan.builder_args.is_empty());
        let rhythms: Vec<_> = with_args.map(|plan| plan.timing.interval_ms).collect();
        assert_eq!(rhythms, [50]);
        assert_eq!(SHORT_INTERVAL.flashblocks_per_block(), 20);
    }
}
