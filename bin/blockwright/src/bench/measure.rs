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
