//! The flags of the builder that a proposer's node asks for blocks.

use std::path::PathBuf;
use std::time::Duration;

use blockwright_flags::{duration, secret};
use blockwright_launch::{KeySource, RollupBuilderSettings, SecretText};
use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Blocks from a builder")]
pub(crate) struct RollupBuilderArgs {
    /// Builder to ask for a block whenever `engine_getPayload` is called, `http[s]://[ADDRESS@]host:port`; its
    /// block is answered where it is valid and uses at least as much gas as our own. With an address only that
    /// builder's signature counts.
    #[arg(
        long = "rollup.builder-url",
        env = "BLOCKWRIGHT_ROLLUP_BUILDER_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    rollup_builder_url: Option<String>,
    /// How long `engine_getPayload` may take for the builder's sake, from the call to the end of the block's
    /// execution; then our own block is answered.
    #[arg(long = "rollup.builder-timeout", env = "BLOCKWRIGHT_ROLLUP_BUILDER_TIMEOUT",
          default_value = "300ms", value_name = "TIME", value_parser = duration::milliseconds)]
    rollup_builder_timeout: Duration,
    /// File with the secp256k1 key that signs requests to the builder: a Web3 keystore, or for development 32
    /// bytes in hex; mode 0600 or less (default: requests are not signed).
    #[arg(
        long = "rollup.builder-key",
        env = "BLOCKWRIGHT_ROLLUP_BUILDER_KEY",
        value_name = "FILE"
    )]
    rollup_builder_key: Option<PathBuf>,
    /// File with the password of that keystore, mode 0600 or less (default: asked for at the terminal).
    #[arg(
        long = "rollup.builder-key-password-file",
        env = "BLOCKWRIGHT_ROLLUP_BUILDER_KEY_PASSWORD_FILE",
        value_name = "FILE"
    )]
    rollup_builder_key_password_file: Option<PathBuf>,
    /// The key itself, for development alone: prefer the file.
    #[arg(long = "rollup.builder-key-hex", env = "BLOCKWRIGHT_ROLLUP_BUILDER_KEY_HEX",
          hide_env_values = true, value_name = "HEX", value_parser = secret)]
    rollup_builder_key_hex: Option<SecretText>,
}

impl RollupBuilderArgs {
    /// The settings.
    pub(crate) fn settings(self) -> RollupBuilderSettings {
        RollupBuilderSettings {
            url: self.rollup_builder_url,
            timeout: self.rollup_builder_timeout,
            key: KeySource {
                file: self.rollup_builder_key,
                password_file: self.rollup_builder_key_password_file,
                hex: self.rollup_builder_key_hex,
            },
        }
    }
}
