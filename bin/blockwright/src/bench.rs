//! `blockwright bench`.

mod args;
mod docs;
mod measure;
mod set;

use std::future::Future;
use std::path::Path;

use blockwright_bench::{Report, TerminalProgress, Workload, compare, table};
use eyre::{WrapErr, bail};

pub(crate) use args::BenchArgs;

use crate::run::{self, ShutdownSignals};
use args::{BenchVerb, CompareArgs, GenesisArgs, LocalArgs, OutputArgs, RunArgs};

pub(crate) fn run(args: BenchArgs) -> eyre::Result<()> {
    crate::logging::init_warnings()?;
    match args.verb {
        BenchVerb::Genesis(args) => genesis(&args),
        BenchVerb::Run(args) => until_signal(async move { measure_running(&args).await }),
        BenchVerb::Local(args) => until_signal(async move { measure_local(*args).await }),
        BenchVerb::Set(args) => until_signal(async move { set::run(*args).await }),
        BenchVerb::Compare(args) => compare_files(&args),
    }
}

/// Runs `work` on two worker threads. A signal drops it, and with it the builder it has started.
fn until_signal(work: impl Future<Output = eyre::Result<()>>) -> eyre::Result<()> {
    run::block_on_workers(2, async move {
        let mut signals = ShutdownSignals::new()?;
        tokio::select! {
            result = Box::pin(work) => result,
            () = signals.received() => bail!("stopped by a signal"),
        }
    })
}

fn genesis(args: &GenesisArgs) -> eyre::Result<()> {
    let plan = args.plan.plan()?;
    let folder = &args.out;
    std::fs::create_dir_all(folder)
        .wrap_err_with(|| format!("--out {} cannot be made", folder.display()))?;
    let progress = TerminalProgress::new(&plan.name);
    let workload = Workload::prepare(&plan, &progress)?;
    progress.finish();
    workload.write_genesis(&folder.join("genesis.json"))?;
    let json = serde_json::to_string_pretty(&plan)? + "\n";
    write(&folder.join("plan.json"), &json)
}

async fn measure_running(args: &RunArgs) -> eyre::Result<()> {
    let mut target = args.target.target();
    target.validate = args.validate.node();
    let report = measure::measure(args.plan.plan()?, &target).await?;
    finish(&report, &args.output)
}

async fn measure_local(args: LocalArgs) -> eyre::Result<()> {
    let mut plan = args.plan.plan()?;
    plan.builder_args.extend(args.builder_args);
    let program = measure::program(args.builder.builder_command.as_deref())?;
    let plan = measure::expecting(plan, &program);
    let report = measure::measure_local(plan, program, args.validate.node()).await?;
    finish(&report, &args.output)
}

/// Shows a report; fails where the builder was incorrect.
fn finish(report: &Report, output: &OutputArgs) -> eyre::Result<()> {
    if let Some(path) = &output.json {
        write(path, &(report.to_json()? + "\n"))?;
    }
    print!("{}", table(std::slice::from_ref(report)));
    verdict(std::slice::from_ref(report))
}

/// Fails where a builder was incorrect.
fn verdict(reports: &[Report]) -> eyre::Result<()> {
    let violations: Vec<String> = reports
        .iter()
        .flat_map(|report| {
            let name = &report.plan.name;
            let named = |violation| format!("{name}: {violation}");
            report
                .violations()
                .into_iter()
                .map(named)
                .collect::<Vec<_>>()
        })
        .collect();
    if violations.is_empty() {
        return Ok(());
    }
    bail!("the builder was incorrect:\n  {}", violations.join("\n  "))
}

fn read(path: &Path) -> eyre::Result<Report> {
    let text = std::fs::read_to_string(path)
        .wrap_err_with(|| format!("report {} cannot be read", path.display()))?;
    Report::from_json(&text).wrap_err_with(|| format!("{} is not a report", path.display()))
}

fn compare_files(args: &CompareArgs) -> eyre::Result<()> {
    print!("{}", compare(&read(&args.a)?, &read(&args.b)?));
    Ok(())
}

fn write(path: &Path, text: &str) -> eyre::Result<()> {
    std::fs::write(path, text).wrap_err_with(|| format!("{} cannot be written", path.display()))
}
