//! Flags of `blockwright watch`.

use std::path::PathBuf;

use alloy_primitives::Address;
use blockwright_launch::Dialect;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Stream of flashblocks ("ws://host:port").
    #[arg(
        value_name = "URL",
        env = "BLOCKWRIGHT_WATCH_URL",
        required_unless_present = "replay",
        conflicts_with = "replay"
    )]
    pub(super) url: Option<String>,
    /// Dialect that is asked for; a recording names its own.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_DIALECT", default_value_t = Dialect::V1,
          value_name = "v1|subblocks|spec", conflicts_with = "replay")]
    pub(super) dialect: Dialect,
    /// One JSON object a line for each flashblock, in place of the screen.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_JSON", conflicts_with = "text")]
    pub(super) json: bool,
    /// One line of text for each flashblock, in place of the screen; so also where standard output is
    /// no terminal.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_TEXT")]
    pub(super) text: bool,
    /// Prove each block from its flashblocks: sequence, contents, roots, hash, order, in dialect spec also
    /// the hash chain. What is wrong makes the exit status 1.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_VERIFY")]
    pub(super) verify: bool,
    /// Address that flashblocks must be signed by, with --verify; may be repeated, or separated by commas:
    /// then any of them will do. The stream is subscribed to a second time, in dialect spec, because that is
    /// what is signed.
    #[arg(
        long = "signer",
        env = "BLOCKWRIGHT_WATCH_SIGNER",
        value_name = "ADDRESS",
        value_delimiter = ',',
        requires = "verify"
    )]
    pub(super) signers: Vec<Address>,
    /// Node whose sealed blocks are compared with the streamed ones ("http://host:port").
    #[arg(long, env = "BLOCKWRIGHT_WATCH_RPC", value_name = "URL")]
    pub(super) rpc: Option<String>,
    /// Keep all frames in a new file.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_RECORD", value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Watch a recording in place of a stream.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_REPLAY", value_name = "FILE")]
    pub(super) replay: Option<PathBuf>,
    /// End after so many whole blocks.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_BLOCKS", value_name = "N")]
    pub(super) blocks: Option<u64>,
}

impl WatchArgs {
    /// Whether signatures are checked.
    pub(super) fn is_signed(&self) -> bool {
        !self.signers.is_empty()
    }
}
