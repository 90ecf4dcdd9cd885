//! `blockwright-op-reth`: op-reth with Blockwright's builder in place of its own.

mod args;
mod candidates;
mod commands;
mod engine_api;
mod executed;
mod host;
#[cfg(test)]
mod invariants_tests;
mod launch;
mod miner;
mod payload_service;
mod roots;
mod rules;
mod stored;

use std::io::Write as _;

use clap::Parser as _;
use reth_optimism_cli::Cli;
use reth_optimism_cli::chainspec::OpChainSpecParser;

use crate::args::{HostArgs, Namespaces};

#[global_allocator]
static ALLOCATOR: reth_cli_util::allocator::Allocator = reth_cli_util::allocator::new_allocator();

fn main() {
    reth_cli_util::sigsegv_handler::install();
    let cli = Cli::<OpChainSpecParser, HostArgs, Namespaces>::parse();
    let code = match cli.run(launch::launch) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("blockwright-op-reth: {error:?}");
            1
        }
    };
    // Nobody could be told that what is left of the output was not written.
    let _ = std::io::stdout().flush();
    // Everything was closed in order by now. Threads of RocksDB may live on, though, and abort the process over a
    // mutex that the end of the C++ library has destroyed.
    signal_hook::low_level::exit(code);
}
