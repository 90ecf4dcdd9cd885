//! What JSON-RPC answers for `pending`, and for how long it waits for receipts.

use std::time::Duration;

use blockwright_flags::duration;
use blockwright_launch::{PendingSettings, Placeholders, RpcLimits};
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
    /// How long eth_sendRawTransactionSync waits for its receipt unless the call asks for another time.
    #[arg(long = "rpc.sync-timeout", env = "BLOCKWRIGHT_RPC_SYNC_TIMEOUT",
          default_value = "2s", value_name = "TIME", value_parser = duration::milliseconds)]
    sync_timeout: Duration,
    /// The longest time that a call may ask for; below 30s. One that asks for more waits for
    /// --rpc.sync-timeout.
    #[arg(long = "rpc.sync-timeout-max", env = "BLOCKWRIGHT_RPC_SYNC_TIMEOUT_MAX",
          default_value = "10s", value_name = "TIME", value_parser = duration::milliseconds)]
    sync_timeout_max: Duration,
    /// Most calls of eth_sendRawTransactionSync that wait at once; more are refused as busy.
    #[arg(long = "rpc.max-sync", env = "BLOCKWRIGHT_RPC_MAX_SYNC",
          default_value_t = RpcLimits::default().sync_waiting_max, value_name = "N")]
    max_sync: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Source {
    Flashblocks,
    Latest,
}

impl PendingArgs {
    /// `limits` with those of calls that wait.
    pub(crate) const fn limits(&self, limits: &RpcLimits) -> RpcLimits {
        RpcLimits {
            sync_timeout: self.sync_timeout,
            sync_timeout_max: self.sync_timeout_max,
            sync_waiting_max: self.max_sync,
            ..*limits
        }
    }

    pub(crate) const fn settings(&self) -> PendingSettings {
        PendingSettings {
            flashblocks: matches!(self.pending, Source::Flashblocks),
            placeholders: self.placeholders,
        }
    }
}
