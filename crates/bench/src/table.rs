//! Figures side by side, for terminals.

use crate::Report;
use crate::figures::{Figure, Value, figures};
use crate::numbers::{NONE, grouped};

/// Runs that fit beside each other; more are folded into further blocks of lines.
const RUNS_A_ROW: usize = 3;

/// A line a figure, a column a run, violations below. Times are milliseconds, p50 / p95 / p99 / max.
pub fn table(reports: &[Report]) -> String {
    let folds: Vec<_> = reports.chunks(RUNS_A_ROW).map(fold).collect();
    folds.join("\n")
}

fn fold(reports: &[Report]) -> String {
    let mut lines = vec![header(reports)];
    let columns: Vec<_> = reports.iter().map(figures).collect();
    let rows = columns.first().map_or(0, Vec::len);
    for row in 0..rows {
        let figures: Vec<_> = columns
            .iter()
            .filter_map(|column| column.get(row))
            .collect();
        let name = figures
            .first()
            .map_or_else(String::new, |figure| label(figure));
        let cells = figures.iter().map(|figure| cell(figure));
        lines.push(std::iter::once(name).chain(cells).collect());
    }
    let mut text = aligned(&lines);
    for report in reports {
        for violation in report.violations() {
            text.push_str(&format!("WRONG  {}: {violation}\n", report.plan.name));
        }
        for example in &report.promises.examples {
            text.push_str(&format!("       {example}\n"));
        }
        for (message, count) in &report.transactions.refusals {
            text.push_str(&format!(
                "       {}: {count} refused: {message}\n",
                report.plan.name
            ));
        }
    }
    text
}

fn header(reports: &[Report]) -> Vec<String> {
    let names = reports.iter().map(|report| report.plan.name.clone());
    std::iter::once(String::new()).chain(names).collect()
}

fn label(figure: &Figure) -> String {
    match figure.value {
        Value::Times(_) => format!("{}, ms", figure.name),
        Value::Count(_) | Value::Amount(..) => figure.name.to_owned(),
    }
}

fn cell(figure: &Figure) -> String {
    match figure.value {
        Value::Count(count) => grouped(count as f64, 0),
        Value::Amount(Some(amount), decimals) => grouped(amount, decimals),
        Value::Times(Some(times)) => [times.p50, times.p95, times.p99, times.max]
            .map(|ms| grouped(ms, 1))
            .join(" / "),
        Value::Amount(None, _) | Value::Times(None) => NONE.to_owned(),
    }
}

/// First column to the left, the others to the right, two spaces between.
pub(crate) fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<_> = (0..columns)
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let padded = line.iter().zip(&widths).enumerate();
        let padded = padded.map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let padded: Vec<_> = padded.collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::fixture::{honest, record};

    fn report(name: &str) -> Report {
        let mut report = analyze(&record(&honest(2)));
        report.plan.name = name.to_owned();
        report
    }

    fn line<'a>(text: &'a str, start: &str) -> &'a str {
        text.lines().find(|line| line.starts_with(start)).unwrap()
    }

    #[test]
    fn every_figure_has_a_line_and_every_run_a_column() {
        let text = table(&[report("one"), report("two")]);
        let lines = text.lines().count();
        assert_eq!(lines, 1 + figures(&report("")).len());
        assert!(text.lines().next().unwrap().ends_with("two"));
        let latency = line(&text, "send -> flashblock, ms");
        assert_eq!(latency.matches("100.0 / 100.0 / 100.0 / 100.0").count(), 2);
        assert_eq!(
            line(&text, "builder peak RSS, MB").matches("123").count(),
            2
        );
        assert!(!text.contains("WRONG"));
    }

    #[test]
    fn more_runs_than_fit_are_folded() {
        let runs: Vec<_> = ["a", "b", "c", "d"].map(report).into();
        let text = table(&runs);
        let headers: Vec<_> = text.lines().filter(|line| line.starts_with(' ')).collect();
        assert_eq!(headers.len(), 2);
        assert!(headers[1].ends_with('d'));
    }

    #[test]
    fn what_a_run_lacks_is_a_dash_and_what_is_wrong_is_named() {
        let mut report = report("bad");
        report.usage.builder = None;
        report.transactions.send_to_seal_ms = None;
        report.transactions.lost = 2;
        report
            .transactions
            .refusals
            .insert("pool is full".to_owned(), 7);
        let text = table(&[report]);
        assert!(line(&text, "builder CPU, s").ends_with(" -"));
        assert!(line(&text, "send -> seal, ms").ends_with(" -"));
        assert!(text.contains("WRONG  bad: 2 accepted transactions were never sealed"));
        assert!(text.contains("bad: 7 refused: pool is full"));
    }
}
