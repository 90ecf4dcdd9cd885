//! Tables of docs/benchmarks.md.

use crate::numbers::grouped;
use crate::{BenchError, Percentiles, Report, Timing};

/// Stands where a run has no such figure.
const NONE: &str = "–";

/// Heading of a column and what stands in it.
type Column = (&'static str, fn(&Report) -> String);

const COLUMNS: [Column; 13] = [
    ("sealed tx/s", |report| {
        grouped(report.speed.sealed_per_s, 0)
    }),
    ("Mgas/s", |report| grouped(report.speed.mgas_per_s, 0)),
    ("Mgas/s by the clock", |report| {
        grouped(report.speed.mgas_per_s_by_clock, 0)
    }),
    ("gas limit", |report| {
        format!("{:.0} %", report.speed.gas_limit_percent)
    }),
    ("flashblocks missing", missing),
    ("first with load p99", |report| {
        p99(report.stream.first_load_ms)
    }),
    ("jitter p99", |report| p99(report.stream.jitter_ms)),
    ("send → flashblock p50 / p99", |report| {
        p50_p99(report.transactions.send_to_flashblock_ms)
    }),
    ("send → seal p50 / p99", |report| {
        p50_p99(report.transactions.send_to_seal_ms)
    }),
    ("getPayload p99", |report| p99(report.engine.get_payload_ms)),
    ("own newPayload p99", |report| {
        p99(report.engine.new_payload_ms)
    }),
    ("peak RSS", |report| {
        let builder = report.usage.builder;
        builder.map_or_else(none, |used| format!("{} MB", grouped(used.rss_peak_mb, 0)))
    }),
    ("CPU s builder / meter", |report| {
        let builder = report.usage.builder;
        let builder = builder.map_or_else(none, |used| format!("{:.1}", used.cpu_s));
        format!("{builder} / {:.1}", report.usage.meter.cpu_s)
    }),
];

/// Where figures come from; each a piece of text as it is to stand in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Commit that was measured.
    pub commit: String,
    /// Command that repeats it.
    pub command: String,
    /// The machine.
    pub hardware: String,
    /// Day of the measurement.
    pub date: String,
}

/// Markdown: where the figures come from, a table for each rhythm with a row a run, and a line on
/// correctness. Times are milliseconds.
pub fn docs_tables(reports: &[Report], provenance: &Provenance) -> String {
    let Provenance {
        commit,
        command,
        hardware,
        date,
    } = provenance;
    let mut text = format!("{date}, commit `{commit}`, {hardware}. `{command}`; times in ms.\n");
    let mut rhythms: Vec<(Timing, Vec<&Report>)> = Vec::new();
    for report in reports {
        let timing = report.plan.timing;
        let same = |(other, _): &&mut (Timing, _)| rhythm(*other) == rhythm(timing);
        match rhythms.iter_mut().find(same) {
            Some((_, group)) => group.push(report),
            None => rhythms.push((timing, vec![report])),
        }
    }
    for (timing, group) in rhythms {
        text.push('\n');
        text.push_str(&rhythm_table(timing, &group));
    }
    text.push('\n');
    text.push_str(&verdict(reports));
    text
}

/// Puts `table` between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` in place of what stands there.
///
/// # Errors
/// [`BenchError::Marker`] where `doc` lacks one of the markers, or has them in the wrong order.
pub fn replace_between_markers(doc: &str, name: &str, table: &str) -> Result<String, BenchError> {
    let (open, close) = (
        format!("<!-- bench:{name} -->"),
        format!("<!-- /bench:{name} -->"),
    );
    let missing = |marker: &str| BenchError::Marker {
        marker: marker.to_owned(),
    };
    let (before, rest) = doc.split_once(&open).ok_or_else(|| missing(&open))?;
    let (_, after) = rest.split_once(&close).ok_or_else(|| missing(&close))?;
    Ok(format!(
        "{before}{open}\n{}\n{close}{after}",
        table.trim_end()
    ))
}

fn rhythm(timing: Timing) -> (u64, u64) {
    (timing.block_time_s, timing.interval_ms)
}

fn rhythm_table(timing: Timing, reports: &[&Report]) -> String {
    let (block_time_s, interval_ms) = rhythm(timing);
    let names = COLUMNS.map(|(name, _)| name).join(" | ");
    let mut text =
        format!("| {block_time_s} s blocks, {interval_ms} ms flashblocks | {names} |\n|---");
    text.push_str(&"|---:".repeat(COLUMNS.len()));
    text.push_str("|\n");
    let repeated = format!(", {block_time_s} s / {interval_ms} ms");
    for report in reports {
        let name = report.plan.name.as_str();
        let name = name.strip_suffix(&repeated).unwrap_or(name);
        let cells = COLUMNS.map(|(_, cell)| cell(report)).join(" | ");
        text.push_str(&format!("| {name} | {cells} |\n"));
    }
    text
}

fn verdict(reports: &[Report]) -> String {
    let wrong: Vec<_> = reports
        .iter()
        .flat_map(|report| {
            let violations = report.violations().into_iter();
            violations.map(|violation| format!("- {}: {violation}\n", report.plan.name))
        })
        .collect();
    if wrong.is_empty() {
        let runs = reports.len();
        return format!(
            "Broken preconfirmations, order changes, contradictions, index gaps, lost transactions and sealed \
             zero roots: 0 in all {runs} runs.\n"
        );
    }
    format!("Incorrect:\n\n{}", wrong.concat())
}

fn missing(report: &Report) -> String {
    let stream = &report.stream;
    match stream.flashblocks_missing {
        0 => "0".to_owned(),
        missing => format!("{missing} of {}", stream.flashblocks_expected),
    }
}

fn p99(times: Option<Percentiles>) -> String {
    times.map_or_else(none, |times| grouped(times.p99, 1))
}

fn p50_p99(times: Option<Percentiles>) -> String {
    times.map_or_else(none, |times| {
        format!("{} / {}", grouped(times.p50, 0), grouped(times.p99, 0))
    })
}

fn none() -> String {
    NONE.to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::fixture::{honest, record};

    fn report(name: &str, interval_ms: u64) -> Report {
        let mut report = analyze(&record(&honest(2)));
        report.plan.name = name.to_owned();
        report.plan.timing.interval_ms = interval_ms;
        report
    }

    fn provenance() -> Provenance {
        Provenance {
            commit: "abc1234".to_owned(),
            command: "make bench".to_owned(),
            hardware: "2 vCPU".to_owned(),
            date: "1 Dec 2026".to_owned(),
        }
    }

    #[test]
    fn each_rhythm_has_a_table_with_a_row_a_run() {
        let reports = [
            report("slow, 1 s / 250 ms", 250),
            report("short", 50),
            report("flood of all", 250),
        ];
        let text = docs_tables(&reports, &provenance());
        assert!(
            text.starts_with("1 Dec 2026, commit `abc1234`, 2 vCPU. `make bench`"),
            "{text}"
        );
        let lines: Vec<_> = text.lines().collect();
        let heads: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("s blocks, "))
            .collect();
        assert_eq!(heads.len(), 2);
        let slow = lines
            .iter()
            .find(|line| line.starts_with("| slow |"))
            .unwrap();
        assert!(slow.contains("| 100 / 100 |"), "{slow}");
        assert!(slow.ends_with("| 123 MB | 1.5 / 0.0 |"), "{slow}");
        let columns = |line: &str| line.matches('|').count();
        assert!(
            lines
                .iter()
                .filter(|line| line.starts_with('|'))
                .all(|line| columns(line) == 15)
        );
        let order = |start: &str| {
            lines
                .iter()
                .position(|line| line.starts_with(start))
                .unwrap()
        };
        assert!(
            order("| slow") < order("| flood of all") && order("| flood of all") < order("| short")
        );
        assert!(text.ends_with("0 in all 3 runs.\n"), "{text}");
    }

    #[test]
    fn what_is_wrong_and_what_is_missing_stands_in_the_text() {
        let mut report = report("flood", 250);
        report.transactions.lost = 3;
        report.stream.flashblocks_missing = 2;
        report.usage.builder = None;
        report.transactions.send_to_flashblock_ms = None;
        let text = docs_tables(&[report], &provenance());
        assert!(
            text.contains("- flood: 3 accepted transactions were never sealed"),
            "{text}"
        );
        assert!(
            text.contains("| 2 of 8 |") && text.contains("| – | – / 0.0 |"),
            "{text}"
        );
        assert!(!text.contains("0 in all"), "{text}");
    }

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let doc =
            "a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb\n<!-- bench:y -->\n<!-- /bench:y -->\n";
        let once = replace_between_markers(doc, "x", "new\n").unwrap();
        assert_eq!(
            once,
            "a\n<!-- bench:x -->\nnew\n<!-- /bench:x -->\nb\n<!-- bench:y -->\n<!-- /bench:y -->\n"
        );
        assert_eq!(replace_between_markers(&once, "x", "new\n").unwrap(), once);
    }

    #[test]
    fn a_marker_that_is_missing_is_named() {
        for doc in ["", "<!-- /bench:x --> <!-- bench:x -->"] {
            let error = replace_between_markers(doc, "x", "new")
                .unwrap_err()
                .to_string();
            assert!(error.contains("bench:x -->"), "{error}");
        }
    }
}
