//! A builder that is wrong in one way is measured, and the meter notices just that.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod builder;
mod mock;

use blockwright_bench::{Pace, Report, RunPlan, Workload, analyze, quick_set, run};

use builder::Fault;
use mock::Mock;

/// Three blocks of a second with 100 transactions a second.
fn plan() -> RunPlan {
    let mut plan = quick_set().remove(0);
    plan.pace = Pace::Rate { tx_per_s: 100.0 };
    plan.chain.senders = 10;
    plan.blocks = 3;
    plan
}

async fn measure(fault: Option<Fault>) -> Report {
    let plan = plan();
    let mock = Mock::start(&plan, fault).await;
    let workload = Workload::prepare(&plan, &()).unwrap();
    let record = run(&plan, workload, &mock.target(), &()).await.unwrap();
    analyze(&record)
}

#[track_caller]
fn assert_only(report: &Report, expected: &str) {
    let examples = &report.promises.examples;
    assert_eq!(report.violations(), [expected.to_owned()], "{examples:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_builder_has_a_clean_report() {
    let report = measure(None).await;
    assert_eq!(report.violations(), Vec::<String>::new());
    assert_eq!(report.client_version.as_deref(), Some("mock/v1"));
    assert_eq!(report.speed.blocks, 3);
    assert_eq!(report.stream.flashblocks_expected, 12);
    assert_eq!(report.stream.flashblocks_missing, 0);
    let transactions = &report.transactions;
    assert!(transactions.sent > 0);
    assert_eq!(
        (transactions.sealed, transactions.refused),
        (transactions.sent, 0)
    );
    assert_eq!(
        transactions.send_to_flashblock_ms.unwrap().count,
        transactions.sent
    );
    let sealed: u64 = report.blocks.iter().map(|block| block.transactions).sum();
    assert_eq!(sealed, transactions.sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_an_honest_builder_is_clean() {
    let mut plan = plan();
    plan.pace = Pace::Flood { pending_max: 200 };
    let mock = Mock::start(&plan, None).await;
    let workload = Workload::prepare(&plan, &()).unwrap();
    let record = run(&plan, workload, &mock.target(), &()).await.unwrap();
    let report = analyze(&record);
    assert_eq!(report.violations(), Vec::<String>::new());
    assert!(
        report.transactions.sealed > 200,
        "{:?}",
        report.transactions
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_promise_is_noticed() {
    let report = measure(Some(Fault::BreakPromise)).await;
    assert_only(
        &report,
        "1 transactions of flashblocks are missing in their sealed block",
    );
    assert_eq!(report.transactions.lost, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_order_is_noticed() {
    let report = measure(Some(Fault::Reorder)).await;
    assert_only(
        &report,
        "1 sealed blocks have another order than their flashblocks",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_flashblock_is_noticed() {
    let report = measure(Some(Fault::DropFlashblock)).await;
    let unstreamed = report.promises.unstreamed;
    assert!(unstreamed > 0);
    assert_eq!(
        report.violations(),
        [
            "1 flashblocks do not follow the index before them".to_owned(),
            format!("{unstreamed} sealed transactions were in no flashblock"),
        ]
    );
    assert_eq!(report.stream.flashblocks_missing, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_transaction_is_noticed() {
    let report = measure(Some(Fault::LoseTransaction)).await;
    assert_only(&report, "1 accepted transactions were never sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_zero_root_is_noticed() {
    let report = measure(Some(Fault::SealZeroRoot)).await;
    assert_only(&report, "1 sealed blocks have a state root of zero");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contents_for_one_index_are_noticed() {
    let report = measure(Some(Fault::Contradict)).await;
    assert_only(
        &report,
        "1 flashblocks contradict an earlier one of the same payload and index",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_closes_is_noticed() {
    let report = measure(Some(Fault::CloseStream)).await;
    let violations = report.violations();
    assert!(
        violations
            .iter()
            .any(|violation| violation.starts_with("the stream ended before the run")),
        "{violations:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_a_second_node_refuses_is_noticed() {
    let plan = plan();
    let mock = Mock::start(&plan, None).await;
    let judge = Mock::start(&plan, Some(Fault::CallInvalid)).await;
    let mut target = mock.target();
    target.validate = Some(judge.engine());
    let workload = Workload::prepare(&plan, &()).unwrap();
    let record = run(&plan, workload, &target, &()).await.unwrap();
    let report = analyze(&record);
    assert_only(&report, "1 blocks are not valid for the second node");
    assert!(report.validation.blocks >= 3);
}
