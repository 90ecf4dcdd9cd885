//! What JSON-RPC answers for `pending`.

use blockwright_launch::{PendingSettings, Placeholders};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(next_help_heading = "Preconfirmed state")]
pub(crate) struct PendingArgs {
    /// What `pending` means in JSON-RPC: preconfirmed state while flashblocks come (else what `latest`
    /// is), or always what `latest` is.
    #[arg(
        long = "rpc.pending",
        env = "BLOCKWRIGHT_RPC_PENDING",
        value_enum,
        default_value_t = Source::Flashblocks,
        value_name = "SOURCE"
    )]
    pending: Source,
    /// What stands for the hash of a block that still grows: standard (null, as execution clients have
    /// it) or spec (zero hash, flashblock index in the nonce, a transaction's hash of the moment).
    #[arg(
        long = "rpc.pending-placeholders",
        env = "BLOCKWRIGHT_RPC_PENDING_PLACEHOLDERS",
        default_value_t = Placeholders::Standard,
        value_name = "standard|spec"
    )]
    placeholders: Placeholders,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Source {
    Flashblocks,
    Latest,
}

impl PendingArgs {
    pub(crate) const fn settings(&self) -> PendingSettings {
        PendingSettings {
            flashblocks: matches!(self.pending, Source::Flashblocks),
            placeholders: self.placeholders,
        }
    }
}
