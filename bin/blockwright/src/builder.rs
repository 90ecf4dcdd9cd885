//! `blockwright builder`: a builder's outlets, by hand.

mod watch_attributes;

use clap::{Args, Subcommand};

use watch_attributes::WatchAttributesArgs;

#[derive(Debug, Args)]
pub(crate) struct BuilderVerbArgs {
    #[command(subcommand)]
    verb: BuilderVerb,
}

#[derive(Debug, Subcommand)]
enum BuilderVerb {
    /// Show the payload attributes of a stream as they come.
    WatchAttributes(WatchAttributesArgs),
}

pub(crate) fn run(args: BuilderVerbArgs) -> eyre::Result<()> {
    match args.verb {
        BuilderVerb::WatchAttributes(args) => watch_attributes::run(args),
    }
}
