//! A set of runs, each on a builder of its own.

use std::path::Path;

use blockwright_bench::{
    BuilderProgram, Report, RunPlan, hosts_set, quick_set, standard_set, table,
};
use eyre::{WrapErr, ensure};

use super::args::{Beside, SetArgs, SetName};
use super::measure::{expecting, measure_local, program};
use super::{docs, read, verdict, write};

/// Runs the set; fails where a builder was incorrect in one of the runs.
pub(super) async fn run(args: SetArgs) -> eyre::Result<()> {
    let plans = match args.set {
        SetName::Quick => quick_set(),
        SetName::Standard => standard_set(),
        SetName::Hosts => hosts_set(),
    };
    let own = program(args.builder.builder_command.as_deref())?;
    let programs = side_by_side(own, &args.beside);
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .wrap_err_with(|| format!("--out {} cannot be made", folder.display()))?;
    }
    let wanted = |name: &str| args.only.as_deref().is_none_or(|text| name.contains(text));
    let mut reports = Vec::new();
    for plan in plans.into_iter().filter(|plan| wanted(&plan.name)) {
        // One after the other on each load: what else the machine does changes with time.
        for (name, program) in &programs {
            let mut plan = expecting(plan.clone(), program);
            plan.name.push_str(name);
            let report = measured(plan, program, &args, reports.len()).await?;
            reports.push(report);
        }
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

/// Builders, with what stands behind the name of a run: nothing where there is one builder only.
fn side_by_side(own: BuilderProgram, beside: &[Beside]) -> Vec<(String, BuilderProgram)> {
    if beside.is_empty() {
        return vec![(String::new(), own)];
    }
    let others = beside.iter().map(|other| {
        let template = other.command.clone();
        let program = BuilderProgram::Command { template };
        (format!(", {}", other.name), program)
    });
    let own = (", blockwright".to_owned(), own);
    std::iter::once(own).chain(others).collect()
}

/// The report of `plan`, the `position`th run: kept from before or measured now.
async fn measured(
    plan: RunPlan,
    program: &BuilderProgram,
    args: &SetArgs,
    position: usize,
) -> eyre::Result<Report> {
    let name = plan.name.clone();
    let path = args.out.as_ref();
    let path = path.map(|folder| folder.join(file_name(position, &name)));
    let old = path.as_deref().filter(|_| args.resume);
    if let Some(report) = old.and_then(kept(&plan)) {
        return Ok(report);
    }
    let report = measure_local(plan, program.clone(), None).await;
    let report = report.wrap_err_with(|| format!("run {name:?}"))?;
    // At once: a later run that fails does not cost this one's figures.
    if let Some(path) = &path {
        write(path, &(report.to_json()? + "\n"))?;
    }
    Ok(report)
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn with_others_beside_it_every_builder_is_named() {
        let ours = || BuilderProgram::Blockwright {
            binary: "blockwright".into(),
        };
        assert_eq!(side_by_side(ours(), &[]), [(String::new(), ours())]);
        let beside: Beside = "op-reth=reth node --port=1".parse().unwrap();
        let other = BuilderProgram::Command {
            template: "reth node --port=1".to_owned(),
        };
        let both = [
            (", blockwright".to_owned(), ours()),
            (", op-reth".to_owned(), other),
        ];
        assert_eq!(side_by_side(ours(), &[beside]), both);
    }

    #[test]
    fn files_are_named_after_their_run() {
        assert_eq!(
            file_name(3, "flood of ERC-20, 1 s / 250 ms"),
            "03-flood-of-erc-20-1-s-250-ms.json"
        );
    }
}
