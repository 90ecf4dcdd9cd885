//! Flags of `blockwright watch`.

use std::path::PathBuf;

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
    /// One JSON object a line for each flashblock, in place of the screen.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_JSON", conflicts_with = "text")]
    pub(super) json: bool,
    /// One line of text for each flashblock, in place of the screen; so also where standard output is
    /// no terminal.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_TEXT")]
    pub(super) text: bool,
    /// Prove each block from its flashblocks: sequence, contents, roots, hash, order. What is wrong makes
    /// the exit status 1.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_VERIFY")]
    pub(super) verify: bool,
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
