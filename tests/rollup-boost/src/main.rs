//! rollup-boost as its crate is published, with its own command line, server and flashblocks; only the
//! reading of the command line is completed here.
//!
//! In 0.7.13 the flags of the flashblocks' WebSocket are a group of arguments with another group in
//! it. clap leaves such a group empty, so it never counts as given, and the published executable
//! accepts `--flashblocks` and ignores it.

use clap::{CommandFactory, FromArgMatches};
use rollup_boost::{FlashblocksWsArgs, RollupBoostServiceArgs, init_tracing};

#[tokio::main]
async fn main() -> eyre::Result<()> {
    let matches = RollupBoostServiceArgs::command().get_matches();
    let mut args = RollupBoostServiceArgs::from_arg_matches(&matches)?;
    if matches.get_flag("flashblocks_ws") {
        args.lib.flashblocks_ws = Some(FlashblocksWsArgs::from_arg_matches(&matches)?);
    }
    init_tracing(&args)?;
    args.run().await
}
