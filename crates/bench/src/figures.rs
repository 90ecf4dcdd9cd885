//! The list of figures that tables and comparisons show.

use crate::{Percentiles, ProcessFigures, Report};

/// In which direction a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
    /// It says what was run, not how well.
    Neither,
}

/// A figure of a report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) better: Better,
    pub(crate) value: Value,
}

/// What a figure holds; `None` where the run has no such figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// Every difference between two runs counts.
    Count(u64),
    /// A rate, processor time or memory with the decimals that are shown: the same program gives
    /// it within [`SHARE_SPREAD_PERCENT`].
    Amount(Option<f64>, usize),
    /// Milliseconds: the same program gives them within [`TIME_SPREAD_PERCENT`], at least
    /// [`TIME_SPREAD_MIN_MS`].
    Times(Option<Percentiles>),
}

/// Two runs of one program differ by so much in throughput, processor time and memory.
pub(crate) const SHARE_SPREAD_PERCENT: f64 = 5.0;
/// Two runs of one program differ by so much in a percentile.
pub(crate) const TIME_SPREAD_PERCENT: f64 = 15.0;
/// Two runs of one program differ by so many milliseconds in a percentile, however short it is.
pub(crate) const TIME_SPREAD_MIN_MS: f64 = 1.0;

/// All figures in the order they are shown; the same names in the same order for every report.
pub(crate) fn figures(report: &Report) -> Vec<Figure> {
    [
        speed(report),
        stream(report),
        crowd(report),
        trouble(report),
        transactions(report),
        engine(report),
        promises(report),
        usage(report),
    ]
    .concat()
}

fn speed(report: &Report) -> Vec<Figure> {
    let speed = &report.speed;
    let rate = |name, value, decimals| amount(name, Better::More, Some(value), decimals);
    vec![
        count("blocks under load", Better::Neither, speed.blocks),
        rate("sealed tx/s", speed.sealed_per_s, 0),
        rate("sealed tx/s by the clock", speed.sealed_per_s_by_clock, 0),
        rate("Mgas/s", speed.mgas_per_s, 1),
        rate("Mgas/s by the clock", speed.mgas_per_s_by_clock, 1),
        rate("gas limit used, %", speed.gas_limit_percent, 1),
    ]
}

fn stream(report: &Report) -> Vec<Figure> {
    let stream = &report.stream;
    let silence = Some(stream.longest_silence_ms);
    vec![
        count(
            "flashblocks expected",
            Better::Neither,
            stream.flashblocks_expected,
        ),
        count(
            "flashblocks missing",
            Better::Less,
            stream.flashblocks_missing,
        ),
        count(
            "flashblocks after the payload",
            Better::Less,
            stream.after_seal,
        ),
        count(
            "flashblocks never resolved",
            Better::Neither,
            stream.unresolved,
        ),
        count(
            "flashblocks with zero root",
            Better::Neither,
            stream.zero_roots,
        ),
        times("first flashblock", stream.first_flashblock_ms),
        times("first with load", stream.first_load_ms),
        times("jitter", stream.jitter_ms),
        times("off its schedule", stream.schedule_jitter_ms),
        amount("longest silence, ms", Better::Less, silence, 1),
    ]
}

fn crowd(report: &Report) -> Vec<Figure> {
    let crowd = report.crowd.as_ref();
    let subscribers = u64::from(report.plan.crowd.subscribers);
    vec![
        count("subscribers", Better::Neither, subscribers),
        count(
            "subscribers lost",
            Better::Less,
            crowd.map_or(0, |crowd| crowd.lost),
        ),
        times(
            "behind the first subscriber",
            crowd.and_then(|crowd| crowd.behind_first_ms),
        ),
        times(
            "last subscriber behind the first",
            crowd.and_then(|crowd| crowd.last_behind_first_ms),
        ),
    ]
}

fn trouble(report: &Report) -> Vec<Figure> {
    let trouble = &report.trouble;
    let dropped = trouble.never_asked + trouble.overtaken + trouble.never_imported;
    let resuming = report.resuming.unwrap_or_default();
    vec![
        count(
            "late fork choices on purpose",
            Better::Neither,
            trouble.late_fork_choices,
        ),
        count("dropped payloads on purpose", Better::Neither, dropped),
        count(
            "resuming subscriber: connections",
            Better::Neither,
            resuming.connections,
        ),
        count(
            "resuming subscriber: flashblocks",
            Better::Neither,
            resuming.flashblocks,
        ),
        count(
            "resuming subscriber: missing",
            Better::Less,
            resuming.missing,
        ),
        count(
            "resuming subscriber: twice or in disorder",
            Better::Less,
            resuming.repeated + resuming.differing + resuming.out_of_order,
        ),
    ]
}

fn transactions(report: &Report) -> Vec<Figure> {
    let transactions = &report.transactions;
    vec![
        count("sent", Better::Neither, transactions.sent),
        count("accepted", Better::Neither, transactions.accepted),
        count("refused", Better::Less, transactions.refused),
        count("unanswered", Better::Less, transactions.unanswered),
        count("lost", Better::Less, transactions.lost),
        times("send -> flashblock", transactions.send_to_flashblock_ms),
        times("send -> seal", transactions.send_to_seal_ms),
    ]
}

fn engine(report: &Report) -> Vec<Figure> {
    let engine = &report.engine;
    vec![
        times("getPayload", engine.get_payload_ms),
        times("newPayload", engine.new_payload_ms),
        times("fork choice", engine.fork_choice_ms),
        times("fork choice (head)", engine.fork_choice_head_ms),
        count("slots slipped", Better::Less, engine.slots_slipped),
        count("slots missed", Better::Less, engine.slots_missed),
    ]
}

fn promises(report: &Report) -> Vec<Figure> {
    let promises = &report.promises;
    [
        ("broken preconfirmations", promises.broken_preconfirmations),
        ("order changes", promises.order_changes),
        ("contradictions", promises.contradictions),
        ("index gaps", report.stream.index_gaps),
        ("sealed but not streamed", promises.unstreamed),
        ("sealed zero roots", promises.sealed_zero_roots),
        ("invalid for the second node", report.validation.invalid),
    ]
    .map(|(name, value)| count(name, Better::Less, value))
    .to_vec()
}

fn usage(report: &Report) -> Vec<Figure> {
    let usage = &report.usage;
    let of = |value: fn(&ProcessFigures) -> f64| usage.builder.as_ref().map(value);
    let beside = |name, value| amount(name, Better::Neither, Some(value), 1);
    vec![
        amount(
            "builder CPU, s",
            Better::Less,
            of(|process| process.cpu_s),
            1,
        ),
        amount(
            "builder peak RSS, MB",
            Better::Less,
            of(|process| process.rss_peak_mb),
            0,
        ),
        beside("meter CPU, s", usage.meter.cpu_s),
        beside("meter, % of a core", usage.meter.core_percent),
        beside("other load, % of a core", usage.other_core_percent),
    ]
}

const fn times(name: &'static str, value: Option<Percentiles>) -> Figure {
    let (better, value) = (Better::Less, Value::Times(value));
    Figure {
        name,
        better,
        value,
    }
}

const fn count(name: &'static str, better: Better, value: u64) -> Figure {
    let value = Value::Count(value);
    Figure {
        name,
        better,
        value,
    }
}

const fn amount(name: &'static str, better: Better, value: Option<f64>, decimals: usize) -> Figure {
    let value = Value::Amount(value, decimals);
    Figure {
        name,
        better,
        value,
    }
}
