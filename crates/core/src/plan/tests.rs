use super::*;

const SECOND_US: u64 = 1_000_000;
const END_S: u64 = 1_000;

fn plan_at(config: &JobConfig, before_timestamp_us: u64, block_time_s: u64) -> Plan {
    let input = PlanInput {
        timestamp: END_S,
        parent_timestamp: END_S - block_time_s,
        no_tx_pool: false,
        now: UnixUs(END_S * SECOND_US - before_timestamp_us),
    };
    Plan::new(config, &input)
}

fn end(config: &JobConfig) -> UnixUs {
    UnixUs(END_S * SECOND_US - config.end_margin_us)
}

#[test]
fn dues_are_counted_back_from_the_end() {
    let config = JobConfig::default();
    let plan = plan_at(&config, 2_045_000, 2);
    assert_eq!(plan.len(), 10);
    assert_eq!(plan.due(10), Some(end(&config)));
    assert_eq!(plan.due(9), Some(end(&config).minus_us(200_000)));
    assert_eq!((plan.due(0), plan.due(11)), (None, None));
}

#[test]
fn the_rhythm_runs_across_blocks() {
    for (interval_us, end_margin_us, block_time_s) in [
        (200_000, 75_000, 2),
        (250_000, 75_000, 1),
        (50_000, 25_000, 1),
    ] {
        let config = JobConfig {
            interval_us,
            end_margin_us,
            ..JobConfig::default()
        };
        // A fork choice on time and one that comes a little late.
        for late_us in [0, 10_000] {
            let plan = plan_at(&config, block_time_s * SECOND_US - late_us, block_time_s);
            let last_of_parent = end(&config).minus_us(block_time_s * SECOND_US);
            assert_eq!(plan.len(), block_time_s * SECOND_US / interval_us);
            assert_eq!(plan.due(1), Some(last_of_parent.plus_us(interval_us)));
        }
    }
}

#[test]
fn a_late_fork_choice_gives_fewer_flashblocks_never_a_faster_rhythm() {
    for interval_us in [50_000, 200_000, 250_000] {
        let config = JobConfig {
            interval_us,
            ..JobConfig::default()
        };
        for before_us in (interval_us + config.end_margin_us..2_100_000).step_by(7_001) {
            let now = UnixUs(END_S * SECOND_US - before_us);
            let plan = plan_at(&config, before_us, 2);
            assert!(!plan.is_empty());
            assert!(
                plan.due(1)
                    .is_some_and(|due| due.since_us(now) >= interval_us / 4)
            );
            assert!(
                plan.dues
                    .windows(2)
                    .all(|pair| pair[1].since_us(pair[0]) == interval_us)
            );
            assert_eq!(plan.due(plan.len()), Some(end(&config)));
        }
    }
}

#[test]
fn a_one_second_chain_is_not_squeezed_or_stretched() {
    let config = JobConfig {
        interval_us: 250_000,
        ..JobConfig::default()
    };
    assert_eq!(plan_at(&config, 1_000_000, 1).len(), 4);
    assert_eq!(plan_at(&config, 800_000, 1).len(), 3);
    let short = JobConfig {
        interval_us: 50_000,
        ..config
    };
    assert_eq!(plan_at(&short, 1_000_000, 1).len(), 19);
}

#[test]
fn an_early_fork_choice_gives_no_more_than_the_block_time_holds() {
    let config = JobConfig::default();
    let plan = plan_at(&config, 900 * SECOND_US, 2);
    assert_eq!(plan.len(), 10);
    assert_eq!(plan.due(10), Some(end(&config)));
}

#[test]
fn too_late_for_an_interval_is_one_last_chance() {
    let config = JobConfig::default();
    let plan = plan_at(&config, 120_000, 2);
    assert_eq!((plan.len(), plan.due(1)), (1, Some(end(&config))));
}

#[test]
fn a_block_in_the_past_has_one_slot_an_interval_from_now() {
    let config = JobConfig::default();
    let now = UnixUs((END_S + 30) * SECOND_US);
    let input = PlanInput {
        timestamp: END_S,
        parent_timestamp: END_S - 2,
        no_tx_pool: false,
        now,
    };
    let plan = Plan::new(&config, &input);
    assert_eq!((plan.len(), plan.due(1)), (1, Some(now.plus_us(200_000))));
}

#[test]
fn no_tx_pool_is_index_zero_only() {
    let input = PlanInput {
        timestamp: END_S,
        parent_timestamp: END_S - 2,
        no_tx_pool: true,
        now: UnixUs((END_S - 2) * SECOND_US),
    };
    assert!(Plan::new(&JobConfig::default(), &input).is_empty());
}
