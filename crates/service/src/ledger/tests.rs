use std::sync::Arc;

use blockwright_core::PriorityOrder;
use blockwright_testkit::{
    FakeArtifact, FakeHost, ManualClock, RecordingSink, RootsScript, Scenario, ScriptHost, simulate,
};
use blockwright_types::UnixUs;

use super::*;
use crate::completion::Completer;
use crate::mailbox::Mailbox;

struct Case {
    ledger: Ledger<FakeArtifact>,
    sink: Arc<RecordingSink>,
    publications: Vec<Publication<FakeArtifact>>,
}

fn case() -> Case {
    let clock = ManualClock::at(UnixUs(0));
    let inner = FakeHost::funded(5);
    let pool = inner.pool.clone();
    let host = ScriptHost::new(inner, pool, RootsScript::Honest);
    let scenario = Scenario::quiet(1);
    let transcript = simulate(&host, &clock, Box::new(PriorityOrder), &scenario).unwrap();
    let publications = transcript
        .published
        .into_iter()
        .map(|published| published.publication)
        .collect();
    let sink = Arc::new(RecordingSink::default());
    let (bell, _mailbox) = Mailbox::new();
    let completer = Completer::new(host, scenario.request.context.parent_hash, false);
    let sink_of = Arc::clone(&sink) as _;
    let subject = Subject::of(&scenario.request);
    let ledger = Ledger::new(subject, 1, bell, sink_of, Arc::new(completer));
    Case {
        ledger,
        sink,
        publications,
    }
}

fn sealed(publication: &Publication<FakeArtifact>) -> &Best<FakeArtifact> {
    publication.payload.sealed().unwrap()
}

impl Case {
    fn publish(&self, index: usize) -> Applied<FakeArtifact> {
        let publication = self.publications[index].clone();
        self.ledger.apply(if index == 0 {
            Act::First(publication)
        } else {
            Act::Publish(publication)
        })
    }

    fn indices(&self) -> Vec<u64> {
        let all = self.sink.all();
        all.iter().map(|flashblock| flashblock.index).collect()
    }
}

#[test]
fn nothing_is_published_after_a_resolve() {
    let case = case();
    case.publish(0);
    case.publish(1);
    let Applied::Resolved { best, first: true } = case.ledger.resolve() else {
        panic!("there is a payload");
    };
    assert!(matches!(
        case.publish(2),
        Applied::Suppressed(StopReason::Resolved)
    ));
    case.ledger.apply(Act::Release);
    assert_eq!(case.indices(), [0, 1]);
    let again = case.ledger.best().unwrap();
    assert_eq!(again.block.hash, best.block.hash);
    assert_eq!(again.block.hash, sealed(&case.publications[1]).block.hash);
}

#[test]
fn nothing_is_published_after_a_stop_and_the_first_reason_wins() {
    let case = case();
    case.publish(0);
    case.ledger.apply(Act::Stop(StopReason::Superseded));
    case.ledger.apply(Act::Stop(StopReason::Failed));
    assert!(matches!(
        case.publish(1),
        Applied::Suppressed(StopReason::Superseded)
    ));
    assert_eq!(
        case.indices(),
        [0],
        "what was held went out before the stop"
    );
    assert_eq!(case.ledger.stop_reason(), Some(StopReason::Superseded));
}

#[test]
fn a_job_superseded_before_its_first_block_has_none() {
    let case = case();
    case.ledger.apply(Act::Stop(StopReason::Superseded));
    assert!(matches!(case.publish(0), Applied::Suppressed(_)));
    assert!(matches!(case.ledger.resolve(), Applied::NotReady));
    assert!(case.indices().is_empty());
}

#[test]
fn how_a_payload_ended_is_told_once_behind_its_last_flashblock() {
    let case = case();
    case.publish(0);
    case.publish(1);
    case.ledger.resolve();
    case.ledger.resolve();
    case.ledger.apply(Act::Stop(StopReason::Superseded));
    let block = &sealed(&case.publications[1]).block;
    let sealed = PayloadEnd {
        payload_id: case.ledger.id,
        block_number: block.header.number,
        block_hash: block.hash,
        last_index: 1,
        outcome: PayloadOutcome::Sealed,
    };
    assert_eq!(case.sink.ends(), [(sealed, 2)]);
}

#[test]
fn an_abandoned_payload_is_told_of_again_when_it_is_fetched_after_all() {
    let case = case();
    case.publish(0);
    case.ledger.apply(Act::Stop(StopReason::Expired));
    case.ledger.apply(Act::Stop(StopReason::Shutdown));
    case.ledger.resolve();
    let ends = case.sink.ends();
    let outcomes: Vec<_> = ends.iter().map(|(end, _)| end.outcome).collect();
    assert_eq!(
        outcomes,
        [
            PayloadOutcome::Abandoned(StopReason::Expired),
            PayloadOutcome::Sealed
        ]
    );
    assert!(
        ends.iter().all(|(_, published)| *published == 1),
        "the held flashblock went out first"
    );
}

#[test]
fn nothing_is_told_of_a_payload_that_nobody_saw() {
    let case = case();
    case.ledger.apply(Act::Stop(StopReason::Superseded));
    case.ledger.resolve();
    assert!(case.sink.ends().is_empty());
}

#[test]
fn an_index_is_published_once_and_in_order() {
    let case = case();
    case.publish(0);
    case.publish(1);
    assert!(matches!(case.publish(1), Applied::Suppressed(_)));
    assert!(matches!(case.publish(3), Applied::Suppressed(_)));
    case.publish(2);
    assert_eq!(case.indices(), [0, 1, 2]);
}
