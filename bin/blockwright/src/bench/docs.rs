//! The tables of a set in a document.

use std::path::Path;

use blockwright_bench::{Provenance, Report, docs_tables, replace_between_markers};
use eyre::WrapErr;

use super::args::{SetArgs, SetName};
use super::write;

/// Writes the tables of `reports`, at least one, into the document at `path`.
pub(super) fn write_tables(path: &Path, args: &SetArgs, reports: &[Report]) -> eyre::Result<()> {
    let set = match args.set {
        SetName::Quick => "quick",
        SetName::Standard => "standard",
        SetName::Hosts => "hosts",
    };
    let first = &reports[0];
    let provenance = Provenance {
        commit: args.commit.clone(),
        command: format!("blockwright bench set {set}"),
        hardware: hardware(first),
        date: day(first.started_unix_ms / 1_000),
    };
    let document = std::fs::read_to_string(path)
        .wrap_err_with(|| format!("--docs {} cannot be read", path.display()))?;
    let tables = docs_tables(reports, &provenance);
    write(path, &replace_between_markers(&document, set, &tables)?)
}

fn hardware(report: &Report) -> String {
    let machine = &report.machine;
    format!(
        "{} × {}, {:.0} GB of memory, Linux {}",
        machine.cores,
        machine.cpu,
        machine.memory_bytes as f64 / 1e9,
        machine.kernel
    )
}

/// The day of a time in seconds since the epoch, as `2026-01-31`.
fn day(since_epoch_s: u64) -> String {
    // Counted in eras of 400 years that begin on 1 March, so that a leap day is the last of its year.
    let days = since_epoch_s / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(951_868_800), "2000-03-01");
        assert_eq!(day(1_767_225_599), "2025-12-31");
        assert_eq!(day(1_767_225_600), "2026-01-01");
    }
}
