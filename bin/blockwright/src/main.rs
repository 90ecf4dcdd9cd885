//! The `blockwright` binary: parse, wire, run.

mod api_args;
mod args;
mod bench;
mod builder;
mod config_file;
mod dev;
mod follow_args;
mod forward_args;
mod keys;
mod live;
mod logging;
mod mirror;
mod node;
mod process_args;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod reference;
mod rollup_builder_args;
mod rpc_args;
mod run;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::args::{Cli, Verb};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => return fail(&error),
    };
    let result = match cli.verb {
        Verb::Dev(args) => dev::run(*args),
        Verb::Node(args) => node::run(*args),
        Verb::Bench(args) => bench::run(args),
        Verb::Watch(args) => watch::run(args),
        Verb::Mirror(args) => mirror::run(*args),
        Verb::Keys(args) => keys::run(args),
        Verb::Builder(args) => builder::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &eyre::Report) -> ExitCode {
    let mut said = error.to_string();
    eprintln!("error: {said}");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Most errors of ours name their cause themselves.
        if !said.contains(&cause) {
            eprintln!("  caused by: {cause}");
            said = cause;
        }
    }
    ExitCode::FAILURE
}

/// Parses the arguments; where they name a config file, parses them again with its keys in front.
fn parse(arguments: Vec<OsString>) -> eyre::Result<Cli> {
    let command = Cli::command();
    let from = |command: clap::Command, arguments: &[OsString]| {
        let matches = command.get_matches_from(arguments);
        Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    };
    // `--chain` may stand in the file alone, so the first pass looks for `--config` only.
    let Some(path) = config_path(&arguments) else {
        return Ok(from(command, &arguments));
    };
    let (command, expanded) = config_file::expand(command, arguments, &path)?;
    Ok(from(command, &expanded))
}

fn config_path(arguments: &[OsString]) -> Option<std::path::PathBuf> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--config" {
            return rest.next().map(Into::into);
        }
        if let Some(path) = argument
            .to_str()
            .and_then(|text| text.strip_prefix("--config="))
        {
            return Some(path.into());
        }
    }
    std::env::var_os("BLOCKWRIGHT_CONFIG").map(Into::into)
}
