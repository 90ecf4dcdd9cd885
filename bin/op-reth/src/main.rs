//! `blockwright-op-reth`: op-reth with Blockwright's builder in place of its own.

mod args;
mod candidates;
mod commands;
mod engine_api;
mod executed;
mod host;
mod launch;
mod payload_service;
mod roots;
mod stored;

use std::process::ExitCode;

use clap::Parser as _;
use reth_optimism_cli::Cli;
use reth_optimism_cli::chainspec::OpChainSpecParser;

use crate::args::{HostArgs, Namespaces};

#[global_allocator]
static ALLOCATOR: reth_cli_util::allocator::Allocator = reth_cli_util::allocator::new_allocator();

fn main() -> ExitCode {
    reth_cli_util::sigsegv_handler::install();
    let cli = Cli::<OpChainSpecParser, HostArgs, Namespaces>::parse();
    match cli.run(launch::launch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blockwright-op-reth: {error:?}");
            ExitCode::FAILURE
        }
    }
}
