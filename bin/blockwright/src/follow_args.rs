//! The flags of a node that follows somebody else's flashblocks.

use std::convert::Infallible;
use std::path::PathBuf;

use blockwright_launch::{FollowSettings, StreamKey};
use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Followed stream")]
pub(crate) struct FollowArgs {
    /// Stream to follow ("ws://host:port" or "wss://host"): its flashblocks are executed as they come, for
    /// `pending` and for newPayload. May be repeated, separated by commas, or in the file a list: servers of
    /// the same stream, used one at a time, the next one when one fails or stalls.
    #[arg(
        long = "flashblocks.url",
        env = "BLOCKWRIGHT_FLASHBLOCKS_URL",
        value_name = "URL",
        value_delimiter = ',',
        hide_env_values = true
    )]
    urls: Vec<String>,
    /// Key that the followed stream asks for. Environment and file keep it out of the list of processes.
    #[arg(long = "flashblocks.url-key", env = "BLOCKWRIGHT_FLASHBLOCKS_URL_KEY",
          hide_env_values = true, value_name = "KEY", value_parser = key)]
    key: Option<StreamKey>,
    /// PEM file of certificate authorities to believe beside the system's, for a followed wss:// stream.
    #[arg(
        long = "flashblocks.url-ca",
        env = "BLOCKWRIGHT_FLASHBLOCKS_URL_CA",
        value_name = "FILE"
    )]
    ca: Option<PathBuf>,
}

/// Takes any text: what is wrong with a key is said without repeating it, which this parser's errors would
/// do.
#[allow(clippy::unnecessary_wraps)]
fn key(text: &str) -> Result<StreamKey, Infallible> {
    Ok(StreamKey::new(text))
}

impl FollowArgs {
    pub(crate) fn settings(self) -> FollowSettings {
        FollowSettings {
            urls: self.urls,
            key: self.key,
            ca: self.ca,
        }
    }
}
