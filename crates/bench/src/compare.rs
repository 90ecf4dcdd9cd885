//! Two runs beside each other.

use crate::figures::{
    Better, Figure, SHARE_SPREAD_PERCENT, TIME_SPREAD_MIN_MS, TIME_SPREAD_PERCENT, Value, figures,
};
use crate::numbers::{NONE, grouped};
use crate::table::aligned;
use crate::{CrowdPlan, Report};

/// Figure, A, B, difference and a mark where B is worse or better than A by more than two runs of one
/// program differ: counts by anything, rates, processor time and memory by 5 %, times by 15 % and
/// at least 1 ms.
pub fn compare(a: &Report, b: &Report) -> String {
    let mut lines = vec![["", "A", "B", "difference", ""].map(str::to_owned).to_vec()];
    for (before, after) in figures(a).iter().zip(&figures(b)) {
        lines.extend(rows(before, after));
    }
    let mut text = format!("A: {}\nB: {}\n", title(a), title(b));
    if let Some(difference) = different_conditions(a, b) {
        text.push_str(&format!("not the same run: {difference}\n"));
    }
    text.push('\n');
    text.push_str(&aligned(&lines));
    text.push_str(&format!(
        "\nworse, better: by more than {SHARE_SPREAD_PERCENT} % (times: {TIME_SPREAD_PERCENT} %, at least \
         {TIME_SPREAD_MIN_MS} ms; counts: by anything)\n"
    ));
    for (name, report) in [("A", a), ("B", b)] {
        for violation in report.violations() {
            text.push_str(&format!("WRONG  {name}: {violation}\n"));
        }
    }
    text
}

fn title(report: &Report) -> String {
    let version = report
        .client_version
        .as_deref()
        .unwrap_or("unknown builder");
    format!("{} ({version})", report.plan.name)
}

/// Which part of the plan differs, so that nobody reads a longer interval as a slower builder.
fn different_conditions(a: &Report, b: &Report) -> Option<String> {
    let (a, b) = (&a.plan, &b.plan);
    let differing: Vec<_> = [
        ("load", a.load != b.load),
        ("pace", a.pace != b.pace),
        ("chain", a.chain != b.chain),
        ("timing", a.timing != b.timing),
        ("blocks", a.blocks != b.blocks),
        ("batch", a.batch != b.batch),
        ("connections", a.connections != b.connections),
        ("trouble", a.trouble != b.trouble),
        ("builder arguments", a.builder_args != b.builder_args),
        ("subscribers", a.crowd.subscribers != b.crowd.subscribers),
        ("hostile peers", hostile(&a.crowd) != hostile(&b.crowd)),
    ]
    .into_iter()
    .filter_map(|(part, differs)| differs.then_some(part))
    .collect();
    (!differing.is_empty()).then(|| differing.join(", "))
}

const fn hostile(crowd: &CrowdPlan) -> (u32, u32) {
    (crowd.hostile, crowd.connects)
}

/// One line, or one for each percentile.
fn rows(a: &Figure, b: &Figure) -> Vec<Vec<String>> {
    let name = a.name;
    match (a.value, b.value) {
        (Value::Count(before), Value::Count(after)) => {
            let pair = (Some(before as f64), Some(after as f64));
            vec![row(
                name.to_owned(),
                pair,
                0,
                verdict(a.better, pair, |_| 0.0),
            )]
        }
        (Value::Amount(before, decimals), Value::Amount(after, _)) => {
            let pair = (before, after);
            vec![row(
                name.to_owned(),
                pair,
                decimals,
                verdict(a.better, pair, share_spread),
            )]
        }
        (Value::Times(before), Value::Times(after)) => {
            let percentile = |value: fn(&crate::Percentiles) -> f64| {
                (before.as_ref().map(value), after.as_ref().map(value))
            };
            [
                ("p50", percentile(|times| times.p50)),
                ("p95", percentile(|times| times.p95)),
                ("p99", percentile(|times| times.p99)),
                ("max", percentile(|times| times.max)),
            ]
            .map(|(which, pair)| {
                let mark = verdict(a.better, pair, time_spread);
                row(format!("{name} {which}, ms"), pair, 1, mark)
            })
            .to_vec()
        }
        // Both lists come from one function and have the same kinds in the same places.
        _ => Vec::new(),
    }
}

fn share_spread(value: f64) -> f64 {
    value.abs() * SHARE_SPREAD_PERCENT / 100.0
}

fn time_spread(value: f64) -> f64 {
    (value.abs() * TIME_SPREAD_PERCENT / 100.0).max(TIME_SPREAD_MIN_MS)
}

fn verdict(
    better: Better,
    pair: (Option<f64>, Option<f64>),
    spread: fn(f64) -> f64,
) -> &'static str {
    let (Some(before), Some(after)) = pair else {
        return "";
    };
    if (after - before).abs() <= spread(before) {
        return "";
    }
    match (better, after > before) {
        (Better::Neither, _) => "",
        (Better::More, true) | (Better::Less, false) => "better",
        (Better::More, false) | (Better::Less, true) => "worse",
    }
}

fn row(
    name: String,
    (before, after): (Option<f64>, Option<f64>),
    decimals: usize,
    mark: &str,
) -> Vec<String> {
    let shown = |value: Option<f64>| {
        value.map_or_else(|| NONE.to_owned(), |value| grouped(value, decimals))
    };
    let difference = before.zip(after).map(|(before, after)| {
        let absolute = grouped(after - before, decimals);
        let sign = if after > before { "+" } else { "" };
        if before == 0.0 {
            format!("{sign}{absolute}")
        } else {
            let percent = grouped((after - before) / before * 100.0, 1);
            format!("{sign}{absolute} ({sign}{percent} %)")
        }
    });
    vec![
        name,
        shown(before),
        shown(after),
        difference.unwrap_or_else(|| NONE.to_owned()),
        mark.to_owned(),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::fixture::{honest, record};

    fn report() -> Report {
        analyze(&record(&honest(2)))
    }

    /// The line of `figure` in the comparison of an honest report with a changed one.
    fn line(figure: &str, change: impl FnOnce(&mut Report)) -> String {
        let mut changed = report();
        change(&mut changed);
        let text = compare(&report(), &changed);
        let found = text.lines().find(|line| line.starts_with(figure));
        found.unwrap().to_owned()
    }

    #[test]
    fn a_run_is_neither_better_nor_worse_than_itself() {
        let text = compare(&report(), &report());
        let marked = text.lines().filter(|line| {
            line.ends_with(" worse") || line.ends_with(" better") || line.contains("not the same")
        });
        assert_eq!(marked.count(), 0, "{text}");
    }

    #[test]
    fn differences_within_the_spread_are_not_marked() {
        let slower = line("sealed tx/s ", |report| report.speed.sealed_per_s *= 0.96);
        assert!(slower.ends_with("%)"), "{slower}");
        let later = line("getPayload p99", |report| {
            report.engine.get_payload_ms.as_mut().unwrap().p99 += 0.9;
        });
        assert!(later.ends_with("%)"), "{later}");
    }

    #[test]
    fn differences_beyond_the_spread_are_marked_in_their_direction() {
        let slower = line("sealed tx/s ", |report| report.speed.sealed_per_s *= 0.9);
        assert!(
            slower.ends_with("worse") && slower.contains("-10.0 %"),
            "{slower}"
        );
        let faster = line("sealed tx/s ", |report| report.speed.sealed_per_s *= 1.1);
        assert!(
            faster.ends_with("better") && faster.contains("+10.0 %"),
            "{faster}"
        );
        let later = line("send -> seal p99, ms", |report| {
            report.transactions.send_to_seal_ms.as_mut().unwrap().p99 *= 1.2;
        });
        assert!(later.ends_with("worse"), "{later}");
        let lost = line("lost", |report| report.transactions.lost = 1);
        assert!(lost.ends_with("worse") && lost.contains("+1"), "{lost}");
        let more_load = line("sent", |report| report.transactions.sent += 100);
        assert!(!more_load.ends_with("worse"), "{more_load}");
    }

    #[test]
    fn a_figure_that_one_run_lacks_is_not_judged() {
        let line = line("builder CPU, s", |report| report.usage.builder = None);
        assert!(line.ends_with('-'), "{line}");
    }

    #[test]
    fn runs_under_other_conditions_are_told_apart() {
        let mut other = report();
        other.plan.timing.interval_ms = 50;
        other.plan.builder_args.push("--x".to_owned());
        other.transactions.lost = 1;
        let text = compare(&report(), &other);
        assert!(
            text.contains("not the same run: timing, builder arguments\n"),
            "{text}"
        );
        assert!(text.contains("WRONG  B: 1 accepted"), "{text}");
    }
}
