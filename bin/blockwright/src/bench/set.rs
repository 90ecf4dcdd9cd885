//! A set of runs, each on a builder of its own.

use std::path::Path;

use blockwright_bench::{Report, RunPlan, quick_set, standard_set, table};
use eyre::{WrapErr, ensure};

use super::args::{SetArgs, SetName};
use super::measure::{expecting, measure_local, program};
use super::{docs, read, verdict, write};

/// Runs the set; fails where the builder was incorrect in one of the runs.
pub(super) async fn run(args: SetArgs) -> eyre::Result<()> {
    let plans = match args.set {
        SetName::Quick => quick_set(),
        SetName::Standard => standard_set(),
    };
    let program = program(args.builder.builder_command.as_deref())?;
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .wrap_err_with(|| format!("--out {} cannot be made", folder.display()))?;
    }
    let wanted = |name: &str| args.only.as_deref().is_none_or(|text| name.contains(text));
    let mut reports = Vec::new();
    for plan in plans.into_iter().filter(|plan| wanted(&plan.name)) {
        let plan = expecting(plan, &program);
        let name = plan.name.clone();
        let path = args.out.as_ref();
        let path = path.map(|folder| folder.join(file_name(reports.len(), &name)));
        if let Some(report) = path
            .as_deref()
            .filter(|_| args.resume)
            .and_then(kept(&plan))
        {
            reports.push(report);
            continue;
        }
        let report = measure_local(plan, program.clone(), None).await;
        let report = report.wrap_err_with(|| format!("run {name:?}"))?;
        // At once: a later run that fails does not cost this one's figures.
        if let Some(path) = &path {
            write(path, &(report.to_json()? + "\n"))?;
        }
        reports.push(report);
    }
    ensure!(
        !reports.is_empty(),
        "no run of the set has --only in its name"
    );
    print!("{}", table(&reports));
    if let Some(path) = &args.docs {
        docs::write_tables(path, &args, &reports)?;
    }
    verdict(&reports)
}

/// Finds the report of `plan` in a file; `None` where there is none, or one of another plan.
fn kept(plan: &RunPlan) -> impl FnOnce(&Path) -> Option<Report> {
    move |path| read(path).ok().filter(|report| report.plan == *plan)
}

/// `3-flood-of-transfers-1-s-250-ms.json`.
fn file_name(position: usize, name: &str) -> String {
    let words: Vec<_> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    format!("{position:02}-{}.json", words.join("-").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_run() {
        assert_eq!(
            file_name(3, "flood of ERC-20, 1 s / 250 ms"),
            "03-flood-of-erc-20-1-s-250-ms.json"
        );
    }
}
