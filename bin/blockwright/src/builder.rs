//! `blockwright builder`: a builder's outlets, by hand.

mod get_payload;
mod proposer_node;
mod register;
mod watch_attributes;

use clap::{Args, Subcommand};

use get_payload::GetPayloadArgs;
use register::RegisterArgs;
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
    /// Ask for a block as a proposer does, and check the answer; fails with the name of what is wrong.
    GetPayload(Box<GetPayloadArgs>),
    /// Register a proposer's fee recipient with a builder.
    Register(RegisterArgs),
}

pub(crate) fn run(args: BuilderVerbArgs) -> eyre::Result<()> {
    match args.verb {
        BuilderVerb::WatchAttributes(args) => watch_attributes::run(args),
        BuilderVerb::GetPayload(args) => get_payload::run(*args),
        BuilderVerb::Register(args) => register::run(args),
    }
}
