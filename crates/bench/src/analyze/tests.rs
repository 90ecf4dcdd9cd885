use alloy_primitives::B256;

use super::*;
use crate::fixture::{
    BlockScript, FIRST_US, INTERVAL_US, SEALED_US, WAIT_US, arrival_us, envelope, frame_bytes,
    honest, record, transaction,
};
use crate::{Frame, Pace, TxOutcome, Validation};

/// The report of two blocks after `change`.
fn with_script(change: impl FnOnce(&mut Vec<BlockScript>)) -> Report {
    let mut scripts = honest(2);
    change(&mut scripts);
    analyze(&record(&scripts))
}

/// The report of two honest blocks whose record is changed.
fn with_record(change: impl FnOnce(&mut RunRecord)) -> Report {
    let mut record = record(&honest(2));
    change(&mut record);
    analyze(&record)
}

/// Checks that exactly one violation is reported, and which.
#[track_caller]
fn assert_only(report: &Report, expected: &str) {
    assert_eq!(report.violations(), [expected.to_owned()]);
}

mod speed {
    use super::*;

    #[test]
    fn an_honest_run_violates_nothing() {
        let report = with_script(|_| ());
        assert_eq!(report.violations(), Vec::<String>::new());
        assert_eq!(report.promises, crate::PromiseFigures::default());
    }

    #[test]
    fn throughput_counts_the_load_nominally_and_by_the_clock() {
        let speed = with_script(|_| ()).speed;
        assert_eq!((speed.blocks, speed.sealed, speed.gas), (2, 8, 210_000));
        assert_eq!((speed.nominal_s, speed.clock_s), (2.0, 1.95));
        assert_eq!(
            (speed.sealed_per_s, speed.sealed_per_s_by_clock),
            (4.0, 4.103)
        );
        assert_eq!(
            (speed.mgas_per_s, speed.mgas_per_s_by_clock),
            (0.105, 0.108)
        );
        assert_eq!(speed.gas_limit_percent, 10.5);
    }

    #[test]
    fn blocks_after_the_load_count_for_its_fate_but_not_for_speed() {
        let report = with_record(|record| record.blocks_under_load = 1);
        assert_eq!((report.speed.blocks, report.speed.sealed), (1, 4));
        assert_eq!(report.speed.clock_s, 0.95);
        assert_eq!(report.engine.get_payload_ms.unwrap().count, 1);
        assert_eq!(report.stream.flashblocks_expected, 4);
        assert_eq!(report.stream.jitter_ms.unwrap().count, 3);
        assert_eq!(
            (report.transactions.sealed, report.transactions.lost),
            (8, 0)
        );
        let under_load: Vec<_> = report.blocks.iter().map(|block| block.under_load).collect();
        assert_eq!(under_load, [true, false]);
    }

    #[test]
    fn a_block_has_its_own_figures() {
        let report = with_record(|record| record.blocks[1].slip_us = 20_500);
        let block = report.blocks[1];
        assert_eq!(
            (block.number, block.transactions, block.flashblocks),
            (2, 4, 4)
        );
        assert_eq!(
            (block.gas_used, block.gas_limit, block.gas_limit_percent),
            (105_000, 1_000_000, 10.5)
        );
        assert_eq!(
            (
                block.sealed_per_s,
                block.mgas_per_s,
                block.mgas_per_s_by_clock
            ),
            (4.0, 0.105, 0.111)
        );
        assert_eq!(
            (block.first_flashblock_ms, block.first_load_ms),
            (Some(5.0), Some(175.0))
        );
        assert_eq!((block.fork_choice_ms, block.get_payload_ms), (1.001, 2.001));
        assert_eq!(
            (block.new_payload_ms, block.fork_choice_head_ms),
            (3.001, 4.001)
        );
        assert_eq!(block.slip_ms, 20.5);
        assert!(block.envelope_bytes > 100);
    }

    #[test]
    fn round_trips_and_slots_are_summed_up() {
        let engine = with_record(|record| {
            record.blocks[0].slip_us = 10_000;
            record.blocks[1].slip_us = 10_001;
            record.slots_missed = 3;
        })
        .engine;
        let max = |times: Option<Percentiles>| times.unwrap().max;
        assert_eq!(max(engine.fork_choice_ms), 1.001);
        assert_eq!(max(engine.get_payload_ms), 2.001);
        assert_eq!(max(engine.new_payload_ms), 3.001);
        assert_eq!(max(engine.fork_choice_head_ms), 4.001);
        assert_eq!(
            (
                engine.slots_slipped,
                engine.slip_max_ms,
                engine.slots_missed
            ),
            (1, 10.001, 3)
        );
    }

    #[test]
    fn processes_are_shares_of_a_core_over_the_blocks() {
        let report = with_script(|_| ());
        let builder = report.usage.builder.unwrap();
        assert_eq!(
            (builder.cpu_s, builder.core_percent, builder.rss_peak_mb),
            (1.5, 76.923, 123.457)
        );
        assert_eq!(
            (report.usage.meter.cpu_s, report.usage.meter.core_percent),
            (0.039, 2.0)
        );
        assert_eq!(report.usage.other_core_percent, 40.0);
        assert_eq!(report.machine.other_cpu_s, 0.78);
    }

    #[test]
    fn a_run_without_blocks_has_no_figures_and_is_wrong() {
        let report = with_record(|record| {
            record.blocks.clear();
            record.frames.clear();
            record.transactions.clear();
            record.blocks_under_load = 5;
        });
        assert_eq!(
            (report.speed.sealed_per_s, report.speed.mgas_per_s_by_clock),
            (0.0, 0.0)
        );
        assert_eq!(report.engine.get_payload_ms, None);
        assert_only(&report, "no block was built");
    }
}

mod rhythm {
    use super::*;

    #[test]
    fn an_even_stream_has_neither_jitter_nor_anything_missing() {
        let stream = with_script(|_| ()).stream;
        assert_eq!(
            (
                stream.frames,
                stream.flashblocks_expected,
                stream.flashblocks_missing
            ),
            (10, 8, 0)
        );
        assert_eq!(
            stream.first_flashblock_ms.unwrap().max,
            FIRST_US as f64 / 1e3
        );
        assert_eq!(stream.first_load_ms.unwrap().p50, 175.0);
        let jitter = stream.jitter_ms.unwrap();
        assert_eq!((jitter.count, jitter.max), (7, 0.0));
        assert_eq!(stream.schedule_jitter_ms.unwrap().max, 0.0);
        assert_eq!(stream.longest_silence_ms, INTERVAL_US as f64 / 1e3);
        assert_eq!(
            (
                stream.repeated,
                stream.unresolved,
                stream.zero_roots,
                stream.after_seal
            ),
            (0, 0, 0, 0)
        );
    }

    #[test]
    fn a_late_flashblock_is_jitter_on_both_sides() {
        let report = with_record(|record| record.frames[8].at_us += 30_000);
        let jitter = report.stream.jitter_ms.unwrap();
        assert_eq!((jitter.max, jitter.p50), (30.0, 0.0));
        assert_eq!(report.stream.schedule_jitter_ms.unwrap().max, 30.0);
        assert_eq!(report.stream.longest_silence_ms, 280.0);
        assert_eq!(report.violations(), Vec::<String>::new());
    }

    #[test]
    fn jitter_looks_across_blocks() {
        let report = with_record(|record| {
            for frame in &mut record.frames[6..] {
                frame.at_us += 12_000;
            }
        });
        let jitter = report.stream.jitter_ms.unwrap();
        assert_eq!((jitter.p50, jitter.max), (0.0, 12.0));
    }

    #[test]
    fn a_missing_last_flashblock_is_a_figure_and_no_fault() {
        let report = with_script(|scripts| {
            scripts[0].flashblocks.pop();
            scripts[0].sealed.pop();
        });
        assert_eq!(report.stream.flashblocks_missing, 1);
        assert_eq!(report.blocks[0].flashblocks_missing, 1);
        assert_eq!(report.stream.jitter_ms.unwrap().max, 250.0);
        assert_only(&report, "1 accepted transactions were never sealed");
    }

    #[test]
    fn more_flashblocks_in_one_block_do_not_make_up_for_another() {
        let report = with_script(|scripts| {
            scripts[0].flashblocks.push((5, Vec::new()));
            let content = scripts[1].flashblocks.pop().unwrap().1;
            scripts[1].flashblocks[3].1.extend(content);
        });
        assert_eq!(report.stream.flashblocks_missing, 1);
        assert_eq!(report.violations(), Vec::<String>::new());
    }

    #[test]
    fn silence_at_the_end_counts() {
        let report = with_record(|record| record.blocks[1].sealed_us += 1_000_000);
        assert_eq!(report.stream.longest_silence_ms, 1_025.0);
    }

    #[test]
    fn a_flashblock_after_its_payload_is_counted() {
        let report = with_record(|record| record.frames[4].at_us = record.blocks[0].sealed_us + 1);
        assert_eq!(report.stream.after_seal, 1);
    }

    #[test]
    fn an_unresolved_payload_promises_nothing() {
        let report = with_record(|record| {
            let bytes = frame_bytes(50, 0, &[transaction(99)]);
            record.frames.push(Frame {
                at_us: arrival_us(1, 4),
                bytes,
            });
        });
        assert_eq!(report.stream.unresolved, 1);
        assert_eq!(report.violations(), Vec::<String>::new());
    }

    #[test]
    fn a_flashblock_that_comes_again_is_no_fault() {
        let report = with_record(|record| {
            let again = record.frames[2].clone();
            record.frames.insert(3, again);
        });
        assert_eq!(
            (report.stream.repeated, report.stream.flashblocks_missing),
            (1, 0)
        );
        assert_eq!(report.violations(), Vec::<String>::new());
    }

    #[test]
    fn zero_roots_in_flashblocks_are_counted_apart() {
        let mut report = with_record(|record| {
            let text = String::from_utf8(record.frames[1].bytes.to_vec()).unwrap();
            let root = format!("{:?}", B256::repeat_byte(1));
            record.frames[1].bytes = text
                .replace(&root, &format!("{:?}", B256::ZERO))
                .into_bytes()
                .into();
        });
        assert_eq!(
            (report.stream.zero_roots, report.promises.sealed_zero_roots),
            (1, 0)
        );
        assert_eq!(report.violations(), Vec::<String>::new());
        // Unless the builder was to put roots into every one.
        report.plan.roots_required = true;
        assert_eq!(report.violations(), ["1 flashblocks carry no state root"]);
    }
}

mod load {
    use super::*;

    #[test]
    fn latencies_run_from_sending() {
        let transactions = with_script(|_| ()).transactions;
        assert_eq!(
            (
                transactions.sent,
                transactions.accepted,
                transactions.sealed
            ),
            (8, 8, 8)
        );
        let streamed = transactions.send_to_flashblock_ms.unwrap();
        assert_eq!(
            (streamed.count, streamed.p50, streamed.max),
            (8, WAIT_US as f64 / 1e3, 100.0)
        );
        let sealed = transactions.send_to_seal_ms.unwrap();
        let earliest_us = SEALED_US - (arrival_us(0, 1) - WAIT_US - crate::fixture::START_US);
        assert_eq!((sealed.max, sealed.count), (earliest_us as f64 / 1e3, 8));
    }

    #[test]
    fn a_prefilled_pool_has_no_latencies() {
        let transactions =
            with_record(|record| record.plan.pace = Pace::Prefilled { count: 8 }).transactions;
        assert_eq!(
            (
                transactions.send_to_flashblock_ms,
                transactions.send_to_seal_ms
            ),
            (None, None)
        );
        assert_eq!(transactions.sealed, 8);
    }

    #[test]
    fn refusals_are_counted_by_message_and_are_no_fault() {
        let report = with_record(|record| {
            let refused = |message: &str| TxOutcome::Refused {
                message: message.to_owned(),
            };
            let mut extra = record.transactions[0].clone();
            for (number, outcome) in [
                (100, refused("pool is full")),
                (101, refused("pool is full")),
                (102, refused("nonce too low")),
                (103, TxOutcome::Unsent),
                (104, TxOutcome::Unanswered),
            ] {
                extra.hash = B256::with_last_byte(number);
                extra.outcome = outcome;
                record.transactions.push(extra.clone());
            }
        });
        let transactions = &report.transactions;
        assert_eq!(
            (
                transactions.sent,
                transactions.refused,
                transactions.unanswered
            ),
            (12, 3, 1)
        );
        let refusals: Vec<_> = transactions
            .refusals
            .iter()
            .map(|(message, count)| (message.as_str(), *count))
            .collect();
        assert_eq!(refusals, [("nonce too low", 1), ("pool is full", 2)]);
        assert_eq!(report.violations(), Vec::<String>::new());
    }
}

mod violations {
    use super::*;

    #[test]
    fn a_broken_preconfirmation_is_noticed() {
        let report = with_script(|scripts| {
            let dropped = scripts[0].sealed.remove(2);
            scripts[1].sealed.push(dropped.clone());
            scripts[1].flashblocks[4].1.push(dropped);
        });
        assert_only(
            &report,
            "1 transactions of flashblocks are missing in their sealed block",
        );
        assert!(
            report.promises.examples[0].contains("block 1"),
            "{:?}",
            report.promises.examples
        );
        assert!(
            report.promises.examples[0].contains("flashblock 2"),
            "{:?}",
            report.promises.examples
        );
    }

    #[test]
    fn another_order_is_noticed() {
        let report = with_script(|scripts| scripts[1].sealed.swap(1, 2));
        assert_only(
            &report,
            "1 sealed blocks have another order than their flashblocks",
        );
    }

    #[test]
    fn a_contradiction_is_noticed() {
        let report = with_record(|record| {
            let mut second = record.frames[2].clone();
            second.bytes = frame_bytes(0, 2, &[transaction(3)]);
            record.frames.insert(3, second);
        });
        assert_only(
            &report,
            "1 flashblocks contradict an earlier one of the same payload and index",
        );
    }

    #[test]
    fn what_only_a_contradicting_flashblock_held_is_a_promise_too() {
        let report = with_record(|record| {
            let mut second = record.frames[2].clone();
            second.bytes = frame_bytes(0, 2, &[transaction(99)]);
            record.frames.insert(3, second);
        });
        assert_eq!(
            (
                report.promises.contradictions,
                report.promises.broken_preconfirmations
            ),
            (1, 1)
        );
    }

    #[test]
    fn a_gap_in_the_indices_is_noticed() {
        let report = with_script(|scripts| {
            for (index, _) in &mut scripts[0].flashblocks[3..] {
                *index += 1;
            }
        });
        assert_only(&report, "1 flashblocks do not follow the index before them");
    }

    #[test]
    fn a_payload_that_does_not_begin_with_index_0_has_a_gap() {
        let report = with_script(|scripts| {
            let (_, deposits) = scripts[0].flashblocks.remove(0);
            scripts[0].flashblocks[0].1.splice(0..0, deposits);
        });
        assert_only(&report, "1 flashblocks do not follow the index before them");
    }

    #[test]
    fn a_sealed_transaction_that_was_not_streamed_is_noticed() {
        let report = with_script(|scripts| scripts[1].flashblocks[2].1.clear());
        assert_only(&report, "1 sealed transactions were in no flashblock");
        assert_eq!(report.promises.order_changes, 0);
    }

    #[test]
    fn a_block_without_flashblocks_is_noticed() {
        let report = with_script(|scripts| scripts[1].flashblocks.clear());
        assert_only(&report, "5 sealed transactions were in no flashblock");
        assert_eq!(report.stream.flashblocks_missing, 4);
    }

    #[test]
    fn a_sealed_zero_root_is_noticed() {
        let report = with_script(|scripts| scripts[1].state_root = B256::ZERO);
        assert_only(&report, "1 sealed blocks have a state root of zero");
    }

    #[test]
    fn a_lost_transaction_is_noticed() {
        let report = with_record(|record| {
            let mut lost = record.transactions[0].clone();
            lost.hash = B256::repeat_byte(9);
            record.transactions.push(lost);
        });
        assert_only(&report, "1 accepted transactions were never sealed");
    }

    #[test]
    fn an_unreadable_payload_is_noticed() {
        let report = with_record(|record| {
            record.transactions.truncate(4);
            record.blocks[1].envelope = b"{}".as_slice().into();
        });
        assert_only(&report, "1 payloads cannot be read");
        assert!(
            report.promises.examples[0].contains("executionPayload"),
            "{:?}",
            report.promises.examples
        );
    }

    #[test]
    fn a_frame_that_is_no_flashblock_is_noticed() {
        let report = with_record(|record| {
            let mut frame = record.frames[0].clone();
            frame.bytes = b"{\"index\":0}".as_slice().into();
            record.frames.push(frame);
        });
        assert_only(&report, "1 frames are no flashblock");
        assert!(
            report
                .stream
                .first_undecodable
                .unwrap()
                .contains("payload_id")
        );
    }

    #[test]
    fn an_invalid_block_is_noticed() {
        let verdict = |number, status: &str| Validation {
            number,
            status: status.to_owned(),
        };
        let valid = with_record(|record| record.validations.push(verdict(1, "VALID")));
        assert_eq!((valid.validation.blocks, valid.violations().len()), (1, 0));
        let report = with_record(|record| {
            record.validations = vec![verdict(1, "VALID"), verdict(2, "INVALID: bad root")];
        });
        assert_only(&report, "1 blocks are not valid for the second node");
        assert_eq!(
            report.validation.first_invalid.unwrap(),
            "block 2: INVALID: bad root"
        );
    }

    #[test]
    fn a_stream_that_ends_early_is_noticed() {
        let report = with_record(|record| record.stream_error = Some("reset".to_owned()));
        assert_only(&report, "the stream ended before the run: reset");
    }

    #[test]
    fn a_builder_that_seals_nothing_of_the_load_is_noticed() {
        let report = with_record(|record| {
            for (position, tx) in record.transactions.iter_mut().enumerate() {
                tx.hash = B256::with_last_byte(position as u8);
                tx.outcome = TxOutcome::Refused {
                    message: "no".to_owned(),
                };
            }
        });
        assert_only(&report, "nothing of the load was sealed");
    }

    #[test]
    fn examples_are_few() {
        let report = with_record(|record| {
            let many: Vec<_> = (200..260).map(transaction).collect();
            record.blocks[0].envelope = envelope(&many, B256::repeat_byte(1));
        });
        assert_eq!(report.promises.examples.len(), 10);
        assert_eq!(report.promises.unstreamed, 60);
    }
}
