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
