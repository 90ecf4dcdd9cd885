//! One run, from its plan to its report.

use std::path::PathBuf;

use blockwright_bench::{
    BuilderProgram, LocalBuilder, Report, RunPlan, Target, TerminalProgress, Workload, analyze, run,
};
use eyre::WrapErr;
use tokio::task::spawn_blocking;

/// A second node: its Engine API and the file of its JWT secret.
pub(super) type SecondNode = Option<(String, PathBuf)>;

/// The builder of `--builder-command`; without one, this program.
pub(super) fn program(command: Option<&str>) -> eyre::Result<BuilderProgram> {
    Ok(match command {
        Some(template) => BuilderProgram::Command {
            template: template.to_owned(),
        },
        None => BuilderProgram::Blockwright {
            binary: std::env::current_exe().wrap_err("the path of this program")?,
        },
    })
}

/// `plan` with what `program` promises: without being told otherwise, this program's own node puts
/// roots into every flashblock.
pub(super) fn expecting(mut plan: RunPlan, program: &BuilderProgram) -> RunPlan {
    let is_ours = matches!(program, BuilderProgram::Blockwright { .. });
    let mut args = plan.builder_args.iter();
    let is_told = args.any(|arg| arg.starts_with("--flashblocks.roots"));
    plan.roots_required |= is_ours && !is_told;
    plan
}

/// Starts `program`, measures it as `plan` says, and ends it.
pub(super) async fn measure_local(
    plan: RunPlan,
    program: BuilderProgram,
    validate: SecondNode,
) -> eyre::Result<Report> {
    // Signing and starting block their thread; a signal that ends the future meanwhile drops what
    // they give, the builder's process included.
    let prepared = spawn_blocking(move || {
        let progress = TerminalProgress::new(&plan.name);
        let workload = Workload::prepare(&plan, &progress)?;
        let builder = LocalBuilder::start(&program, &workload)?;
        eyre::Ok((plan, progress, workload, builder))
    });
    let (plan, progress, workload, builder) = prepared.await.wrap_err("preparation")??;
    let mut target = builder.target().clone();
    target.validate = validate;
    let record = Box::pin(run(&plan, workload, &target, &progress)).await?;
    let report = spawn_blocking(move || {
        // Its memory and its processor time are free for the analysis.
        drop(builder);
        let report = analyze(&record);
        progress.finish();
        report
    });
    report.await.wrap_err("analysis")
}

/// Measures the builder behind `target` as `plan` says.
pub(super) async fn measure(plan: RunPlan, target: &Target) -> eyre::Result<Report> {
    let prepared = spawn_blocking(move || {
        let progress = TerminalProgress::new(&plan.name);
        let workload = Workload::prepare(&plan, &progress)?;
        eyre::Ok((plan, progress, workload))
    });
    let (plan, progress, workload) = prepared.await.wrap_err("preparation")??;
    let record = Box::pin(run(&plan, workload, target, &progress)).await?;
    let report = spawn_blocking(move || analyze(&record));
    let report = report.await.wrap_err("analysis");
    progress.finish();
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_node_is_held_to_roots_in_every_flashblock_unless_told_otherwise() {
        let plan = blockwright_bench::standard_set().remove(0);
        let required = |args: &[&str], program: &BuilderProgram| {
            let mut plan = plan.clone();
            plan.builder_args = args.iter().map(|arg| (*arg).to_owned()).collect();
            expecting(plan, program).roots_required
        };
        let ours = BuilderProgram::Blockwright {
            binary: PathBuf::new(),
        };
        let other = BuilderProgram::Command {
            template: String::new(),
        };
        assert!(required(&["--flashblocks.share=linear"], &ours));
        assert!(!required(&["--flashblocks.roots=last"], &ours));
        assert!(!required(&[], &other));
    }
}
