use proptest::prelude::*;

use super::*;

const HOLD_US: u64 = 400_000;

fn merge(upstreams: usize) -> Merge {
    let mut merge = Merge::new(MergeConfig {
        upstreams,
        hold_us: HOLD_US,
        held_bytes_max: 1_000_000,
    });
    for upstream in 0..upstreams {
        merge.connected(upstream);
    }
    merge
}

fn id(payload: u8) -> PayloadId {
    PayloadId::new([payload; 8])
}

/// The copy that `upstream` sends of a flashblock of block number `payload`.
fn copy(upstream: usize, (payload, index): (u8, u64)) -> FrameCopy {
    FrameCopy {
        upstream,
        header: FrameHeader {
            payload_id: id(payload),
            index,
            block_number: Some(u64::from(payload)),
        },
        frame: vec![payload, index as u8].into(),
        at_us: 0,
    }
}

/// A merge, and the positions that came out of it.
struct Run {
    merge: Merge,
    sent: Vec<(u8, u64)>,
    lost: usize,
    cuts: Vec<Loss>,
    now_us: u64,
}

impl Run {
    fn new(upstreams: usize) -> Self {
        Self {
            merge: merge(upstreams),
            sent: Vec::new(),
            lost: 0,
            cuts: Vec::new(),
            now_us: 0,
        }
    }

    fn note(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Frame(merged) => self.sent.push((merged.payload_id.0[0], merged.index)),
                Output::Lost(loss) => {
                    self.lost += 1;
                    if matches!(loss, Loss::CutOff { .. }) {
                        self.cuts.push(loss);
                    }
                }
            }
        }
    }

    fn take(&mut self, upstream: usize, position: (u8, u64)) -> Verdict {
        self.take_copy(copy(upstream, position))
    }

    fn take_copy(&mut self, mut copy: FrameCopy) -> Verdict {
        copy.at_us = self.now_us;
        let mut out = Vec::new();
        let verdict = self.merge.take(copy, &mut out);
        self.note(out);
        verdict
    }

    fn silent(&mut self, upstream: usize) {
        let mut out = Vec::new();
        self.merge.silent(upstream, self.now_us, &mut out);
        self.note(out);
    }

    fn tick(&mut self, after_us: u64) {
        self.now_us += after_us;
        let mut out = Vec::new();
        self.merge.tick(self.now_us, &mut out);
        self.note(out);
    }
}

#[test]
fn the_earliest_copy_is_sent_and_the_others_are_counted() {
    let mut run = Run::new(2);
    assert_eq!(run.take(0, (1, 0)), Verdict::First);
    run.now_us = 700;
    assert_eq!(run.take(1, (1, 0)), Verdict::Duplicate { lag_us: 700 });
    assert_eq!(run.take(1, (1, 1)), Verdict::First);
    assert_eq!(run.take(0, (1, 1)), Verdict::Duplicate { lag_us: 0 });
    assert_eq!(run.sent, [(1, 0), (1, 1)]);
}

#[test]
fn what_one_upstream_misses_another_fills_in() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    assert_eq!(run.take(0, (1, 2)), Verdict::Held);
    assert_eq!(run.take(0, (2, 0)), Verdict::Held);
    assert_eq!(run.take(1, (1, 0)), Verdict::Duplicate { lag_us: 0 });
    assert_eq!(run.take(1, (1, 1)), Verdict::First);
    // The first upstream has said that its payload was over after index 2; the other one has its say.
    assert_eq!(run.sent, [(1, 0), (1, 1), (1, 2)]);
    assert_eq!(run.take(1, (1, 2)), Verdict::Duplicate { lag_us: 0 });
    assert_eq!(run.take(1, (2, 0)), Verdict::Duplicate { lag_us: 0 });
    assert_eq!(run.sent, [(1, 0), (1, 1), (1, 2), (2, 0)]);
    assert_eq!(run.lost, 0);
}

#[test]
fn what_nobody_can_fill_in_is_lost_and_said_to_be() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    run.take(0, (1, 2));
    run.take(0, (2, 0));
    assert_eq!(run.sent, [(1, 0)]);
    run.silent(1);
    assert_eq!(run.sent, [(1, 0), (2, 0)]);
    assert_eq!(run.lost, 1);
    assert_eq!(run.take(1, (1, 1)), Verdict::Late);
    assert_eq!(run.take(1, (1, 2)), Verdict::Late);
    assert_eq!(run.take(1, (1, 0)), Verdict::Duplicate { lag_us: 0 });
}

#[test]
fn an_upstream_that_missed_the_end_does_not_end_the_payload_for_others() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    run.take(1, (1, 0));
    run.merge.broken(0);
    assert_eq!(run.take(0, (2, 0)), Verdict::Held);
    assert_eq!(run.take(1, (1, 1)), Verdict::First);
    run.take(1, (2, 0));
    assert_eq!(run.sent, [(1, 0), (1, 1), (2, 0)]);
}

#[test]
fn a_payload_that_stands_still_is_left_after_the_hold_time() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    run.take(1, (1, 0));
    run.merge.broken(0);
    run.now_us = 100;
    run.take(0, (2, 0));
    assert_eq!(run.merge.due_us(), Some(100 + HOLD_US));
    run.tick(HOLD_US - 1);
    assert_eq!(run.sent, [(1, 0)]);
    run.tick(1);
    assert_eq!(run.sent, [(1, 0), (2, 0)]);
    assert_eq!(run.merge.due_us(), None);
}

#[test]
fn a_stalled_upstream_is_not_waited_for() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    run.take(1, (1, 0));
    run.merge.broken(0);
    run.take(0, (2, 0));
    run.silent(1);
    assert_eq!(run.sent, [(1, 0), (2, 0)]);
}

#[test]
fn another_payload_for_the_same_block_supersedes() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    run.take(0, (1, 1));
    let mut other = copy(0, (2, 0));
    other.header.block_number = Some(1);
    assert_eq!(run.take_copy(other), Verdict::First);
    assert_eq!(run.take(1, (1, 2)), Verdict::Late);
    assert_eq!(run.sent, [(1, 0), (1, 1), (2, 0)]);
}

#[test]
fn an_older_block_needs_somebody_who_saw_it_follow() {
    let mut run = Run::new(2);
    run.take(0, (5, 0));
    // The other one is behind.
    assert_eq!(run.take(1, (4, 0)), Verdict::Held);
    run.tick(10 * HOLD_US);
    assert_eq!(run.merge.due_us(), None);
    run.take(0, (6, 0));
    assert_eq!(run.take(1, (4, 1)), Verdict::Held);
    // Once nobody is there any more it is forgotten.
    let lag_us = 10 * HOLD_US;
    assert_eq!(run.take(1, (5, 0)), Verdict::Duplicate { lag_us });
    run.take(0, (7, 0));
    assert_eq!(run.take(1, (4, 1)), Verdict::Late);
    // The chain itself goes back.
    assert_eq!(run.take(0, (3, 0)), Verdict::First);
    assert_eq!(run.sent, [(5, 0), (6, 0), (7, 0), (3, 0)]);
}

#[test]
fn the_first_of_two_contents_stands_and_both_upstreams_go_on() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    let other = |position| FrameCopy {
        frame: vec![9].into(),
        ..copy(1, position)
    };
    assert_eq!(run.take_copy(other((1, 0))), Verdict::Different);
    // The first one ends here, and the second one takes over within the payload.
    assert_eq!(run.take_copy(other((1, 1))), Verdict::First);
    assert_eq!(run.take_copy(other((1, 2))), Verdict::First);
    assert_eq!(run.take(0, (1, 1)), Verdict::Different);
    run.take(0, (1, 2));
    run.take(0, (2, 0));
    assert_eq!(
        run.take_copy(other((1, 2))),
        Verdict::Duplicate { lag_us: 0 }
    );
    assert_eq!(run.take_copy(other((2, 0))), Verdict::Different);
    assert_eq!(run.take_copy(other((1, 0))), Verdict::Different);
    assert_eq!(run.sent, [(1, 0), (1, 1), (1, 2), (2, 0)]);
    assert_eq!(run.lost, 0);
}

/// Payload `payload` whole, each flashblock from all upstreams, the first one first.
fn whole(run: &mut Run, upstreams: usize, payload: u8, length: u64) {
    for index in 0..length {
        for upstream in 0..upstreams {
            run.take(upstream, (payload, index));
        }
    }
}

#[test]
fn a_payload_of_the_usual_length_is_followed_without_waiting() {
    let mut run = Run::new(2);
    whole(&mut run, 2, 1, 5);
    whole(&mut run, 2, 2, 5);
    whole(&mut run, 2, 3, 5);
    assert_eq!(run.take(0, (4, 0)), Verdict::First);
    // A shorter one is over at once where nobody else is in it.
    run.silent(1);
    assert_eq!(run.take(0, (5, 0)), Verdict::First);
}

#[test]
fn one_upstream_alone_ends_no_short_payload() {
    let mut run = Run::new(2);
    for payload in 1..4 {
        whole(&mut run, 2, payload, 5);
    }
    whole(&mut run, 2, 4, 3);
    assert_eq!(run.take(1, (200, 0)), Verdict::Held);
    assert_eq!(run.take(1, (200, 1)), Verdict::Held);
    for index in 3..5 {
        assert_eq!(run.take(0, (4, index)), Verdict::First);
    }
    // What was said too early is not believed later.
    assert_eq!(run.sent.last(), Some(&(4, 4)));
    run.take(1, (5, 0));
    assert_eq!(run.sent.last(), Some(&(4, 4)));
    run.take(0, (5, 0));
    assert_eq!(run.sent.last(), Some(&(5, 0)));
    assert!(!run.sent.iter().any(|(payload, _)| *payload == 200));
    assert_eq!(run.lost, 0);
}

#[test]
fn a_short_payload_that_the_others_are_silent_about_ends_with_the_hold_time() {
    let mut run = Run::new(2);
    whole(&mut run, 2, 1, 5);
    whole(&mut run, 2, 2, 2);
    assert_eq!(run.take(0, (3, 0)), Verdict::Held);
    assert_eq!(run.merge.due_us(), Some(HOLD_US));
    run.tick(HOLD_US);
    assert_eq!(run.sent.last(), Some(&(3, 0)));
}

#[test]
fn what_comes_of_a_payload_that_was_cut_off_is_lost_and_its_cutter_doubted() {
    let mut run = Run::new(2);
    for payload in 1..4 {
        whole(&mut run, 2, payload, 3);
    }
    whole(&mut run, 2, 4, 3);
    // Longer than usual, so that one upstream can cut it.
    assert_eq!(run.take(1, (200, 0)), Verdict::First);
    assert_eq!(run.take(0, (4, 3)), Verdict::Late);
    assert_eq!(run.take(0, (4, 4)), Verdict::Late);
    let cut = Loss::CutOff {
        payload_id: id(4),
        by: Some(1),
        continued_by: 0,
    };
    assert_eq!(run.cuts, [cut]);
    // The other one's next payload need not wait for the end of the invented one.
    run.take(1, (200, 1));
    assert_eq!(run.take(0, (5, 0)), Verdict::First);
    // The same again: this time it is not believed.
    whole(&mut run, 2, 5, 3);
    assert_eq!(run.take(1, (201, 0)), Verdict::Held);
    assert_eq!(run.take(0, (5, 3)), Verdict::First);
    assert_eq!(run.lost, 1);
}

/// Which of two upstreams is the liar is known to nobody, so that no loss is passed over; but none is said
/// twice.
#[test]
fn what_is_added_to_an_invented_payload_after_its_end_is_lost_once() {
    let mut run = Run::new(2);
    for payload in 1..5 {
        whole(&mut run, 2, payload, 3);
    }
    run.take(1, (200, 0));
    run.take(0, (4, 3));
    assert_eq!(run.take(0, (5, 0)), Verdict::First);
    for index in 1..20 {
        assert_eq!(run.take(1, (200, index)), Verdict::Late);
        assert_eq!(run.take(0, (5, index)), Verdict::First);
        assert_eq!(run.lost, 2);
    }
}

#[test]
fn of_two_payloads_in_one_place_the_one_with_more_upstreams_goes_on() {
    let mut run = Run::new(3);
    whole(&mut run, 3, 1, 2);
    whole(&mut run, 3, 2, 2);
    assert_eq!(run.take(2, (200, 0)), Verdict::First);
    assert_eq!(run.take(0, (3, 0)), Verdict::Held);
    run.take(2, (200, 1));
    run.take(1, (3, 0));
    assert_eq!(run.sent.last(), Some(&(3, 0)));
    assert_eq!(run.take(2, (200, 2)), Verdict::Late);
    assert_eq!(run.lost, 0);
}

#[test]
fn what_most_saw_end_is_not_lost_because_of_one() {
    let mut run = Run::new(3);
    whole(&mut run, 3, 1, 2);
    assert_eq!(run.take(0, (2, 0)), Verdict::Held);
    assert_eq!(run.take(1, (2, 0)), Verdict::Duplicate { lag_us: 0 });
    assert_eq!(run.sent.last(), Some(&(2, 0)));
    assert_eq!(run.take(2, (1, 2)), Verdict::Late);
    assert_eq!(run.lost, 0);
}

#[test]
fn memory_is_bounded() {
    let mut run = Run::new(2);
    run.take(0, (1, 0));
    let mut large = copy(1, (1, 5));
    large.frame = vec![0; 600_000].into();
    assert_eq!(run.take_copy(large.clone()), Verdict::Held);
    large.header.index = 6;
    assert_eq!(run.take_copy(large.clone()), Verdict::Refused);
    large.header.index = u64::MAX;
    assert_eq!(run.take_copy(large.clone()), Verdict::Refused);
    // What is next is never refused.
    large.header.index = 1;
    assert_eq!(run.take_copy(large), Verdict::First);
    for payload in 10..=255 {
        run.take(1, (payload, 1));
    }
    assert!(run.merge.waiting.len() <= WAITING_MAX);
    assert!(run.merge.past.len() <= PAST_MAX);
}

#[test]
fn an_index_0_without_a_block_number_cannot_be_sent() {
    let mut run = Run::new(2);
    let mut bare = copy(0, (1, 0));
    bare.header.block_number = None;
    assert_eq!(run.take_copy(bare), Verdict::Refused);
    assert_eq!(run.take(1, (1, 0)), Verdict::First);
    let mut next = copy(0, (1, 1));
    next.header.block_number = None;
    assert_eq!(run.take_copy(next), Verdict::First);
    assert_eq!(run.sent, [(1, 0), (1, 1)]);
}

/// What an upstream does with each flashblock of the chain.
fn fates(upstreams: usize) -> impl Strategy<Value = Vec<Vec<bool>>> {
    let one = prop::collection::vec(prop::bool::weighted(0.75), 64);
    prop::collection::vec(one, upstreams)
}

/// Payloads with their block numbers, some superseded, some after a reorg, and their lengths.
fn chain() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((10u64..14, 1u64..6), 1..7)
}

fn positions(chain: &[(u64, u64)]) -> Vec<(u8, u64)> {
    let payloads = (1u8..).zip(chain);
    payloads
        .flat_map(|(payload, (_, length))| (0..*length).map(move |index| (payload, index)))
        .collect()
}

/// Contiguous from 0 in each payload, each payload once.
fn assert_sequence(sent: &[(u8, u64)]) {
    let mut seen = Vec::new();
    let mut last: Option<(u8, u64)> = None;
    for (payload, index) in sent {
        match last {
            Some((same, before)) if same == *payload => assert_eq!(*index, before + 1),
            _ => {
                assert_eq!(*index, 0, "{sent:?}");
                assert!(!seen.contains(payload), "{sent:?}");
                seen.push(*payload);
            }
        }
        last = Some((*payload, *index));
    }
}

struct Player {
    upstream: usize,
    at: usize,
    missed: bool,
}

impl Player {
    /// Delivers the next flashblock, or misses it and is disconnected for the time.
    fn step(&mut self, run: &mut Run, chain: &[(u64, u64)], fate: &[bool]) -> Option<Verdict> {
        let position = *positions(chain).get(self.at)?;
        let arrives = fate[self.at];
        self.at += 1;
        if !arrives {
            if !self.missed {
                run.silent(self.upstream);
            }
            self.missed = true;
            return None;
        }
        if core::mem::take(&mut self.missed) {
            run.merge.connected(self.upstream);
            run.merge.broken(self.upstream);
        }
        let mut copy = copy(self.upstream, position);
        copy.header.block_number = Some(chain[usize::from(position.0 - 1)].0);
        Some(run.take_copy(copy))
    }
}

fn players(upstreams: usize) -> Vec<Player> {
    (0..upstreams)
        .map(|upstream| Player {
            upstream,
            at: 0,
            missed: false,
        })
        .collect()
}

proptest! {
    /// With one upstream that misses nothing, however late it is, nothing is missing.
    #[test]
    fn one_whole_upstream_is_enough(
        chain in chain(),
        mut fates in fates(3),
        order in prop::collection::vec(0usize..3, 0..120),
    ) {
        let mut run = Run::new(3);
        fates[0] = vec![true; 64];
        let mut players = players(3);
        // Somebody begins at the beginning.
        players[0].step(&mut run, &chain, &fates[0]);
        let rest = (0..3).cycle().take(3 * 64);
        for upstream in order.into_iter().chain(rest) {
            players[upstream].step(&mut run, &chain, &fates[upstream]);
            assert_sequence(&run.sent);
        }
        prop_assert_eq!(&run.sent, &positions(&chain));
        prop_assert_eq!(run.lost, 0);
        prop_assert_eq!(run.merge.held_bytes, 0);
    }

    /// One of two or three invents payloads where it likes and forwards the rest. What others go on
    /// with reaches subscribers whole, or they are told.
    #[test]
    fn one_liar_cuts_nothing_off_in_silence(
        honest in 1usize..3,
        lengths in prop::collection::vec(1u64..8, 2..12),
        lies in prop::collection::vec(prop::bool::weighted(0.2), 100),
        is_liar_first in prop::collection::vec(any::<bool>(), 100),
    ) {
        let liar = honest;
        let mut run = Run::new(honest + 1);
        let mut invented = 100;
        let chain: Vec<_> = lengths.iter().map(|length| (0, *length)).collect();
        for (place, position) in positions(&chain).into_iter().enumerate() {
            run.tick(200_000);
            if is_liar_first[place] {
                run.take(liar, position);
            }
            if lies[place] {
                invented += 1;
                let mut lie = copy(liar, (invented, 0));
                lie.header.block_number = Some(u64::from(position.0) + 1);
                run.take_copy(lie);
            }
            for upstream in 0..honest {
                run.take(upstream, position);
            }
        }
        for (payload, length) in (1u8..).zip(&lengths) {
            let sent = run.sent.iter().filter(|(sent, _)| *sent == payload).count() as u64;
            let is_it = |loss: &Loss| matches!(loss, Loss::CutOff { payload_id, .. } if *payload_id == id(payload));
            let was_told = run.cuts.iter().any(is_it);
            // One that was never begun is missing as a whole: nobody has a part of it.
            prop_assert!(sent == 0 || sent == *length || was_told, "{payload}: {:?}", run.sent);
        }
    }

    /// Whatever comes, in whatever order, with time passing: what goes out is a sequence.
    #[test]
    fn what_goes_out_is_contiguous_and_sent_once(
        steps in prop::collection::vec(
            (0usize..3, 1u8..6, 0u64..5, 0u8..12, 0u64..300_000), 0..200),
    ) {
        let mut run = Run::new(3);
        for (upstream, payload, index, what, after_us) in steps {
            run.tick(after_us);
            match what {
                0 => run.silent(upstream),
                1 => run.merge.connected(upstream),
                2 => run.merge.broken(upstream),
                3 => {
                    let mut other = copy(upstream, (payload, index));
                    other.frame = vec![upstream as u8; 3].into();
                    run.take_copy(other);
                }
                _ => {
                    run.take(upstream, (payload, index));
                }
            }
            assert_sequence(&run.sent);
            let waiting = run.merge.waiting.iter().chain(&run.merge.current);
            let held: usize = waiting.map(Open::held_bytes).sum();
            prop_assert_eq!(run.merge.held_bytes, held);
        }
    }
}
