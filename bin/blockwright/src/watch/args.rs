//! Flags of `blockwright watch`.

use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::str::FromStr;

use alloy_primitives::Address;
use blockwright_launch::Dialect;
use blockwright_watch::{Access, SignerRule, StreamKey};
use clap::Args;
use eyre::ensure;

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
    /// then any of them will do. "any" takes whoever signs first, and nobody else after. The stream is subscribed to a second time, in dialect spec, because that is
    /// what is signed.
    #[arg(
        long = "signer",
        env = "BLOCKWRIGHT_WATCH_SIGNER",
        value_name = "ADDRESS|any",
        value_delimiter = ',',
        requires = "verify"
    )]
    signers: Vec<SignerArg>,
    /// Key that the server asks for. The environment keeps it out of the list of processes.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_API_KEY", hide_env_values = true, value_name = "KEY",
          value_parser = key)]
    api_key: Option<StreamKey>,
    /// PEM file of certificate authorities to believe beside the system's, for wss://.
    #[arg(long, env = "BLOCKWRIGHT_WATCH_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Node whose sealed blocks are compared with the streamed ones ("http://host:port"). With
    /// --verify a block that could not be compared makes the exit status 1.
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
    pub(super) const fn is_signed(&self) -> bool {
        !self.signers.is_empty()
    }

    /// Who may sign.
    pub(super) fn signer_rule(&self) -> eyre::Result<SignerRule> {
        let addresses = self.signers.iter().filter_map(|signer| match signer {
            SignerArg::Any => None,
            SignerArg::Address(address) => Some(*address),
        });
        let addresses: Vec<_> = addresses.collect();
        if !self.is_signed() {
            return Ok(SignerRule::Unchecked);
        }
        ensure!(
            addresses.is_empty() || addresses.len() == self.signers.len(),
            "--signer any stands alone"
        );
        Ok(if addresses.is_empty() {
            SignerRule::Constant
        } else {
            SignerRule::OneOf(addresses)
        })
    }

    /// How to get in.
    pub(super) fn access(&self) -> Access {
        Access {
            key: self.api_key.clone(),
            ca: self.ca.clone(),
        }
    }

    /// Whether it is watched on the screen.
    pub(super) fn is_on_screen(&self) -> bool {
        !self.json && !self.text && std::io::stdout().is_terminal()
    }
}

/// Who may sign.
#[derive(Clone, Copy, Debug)]
enum SignerArg {
    /// Whoever signs first.
    Any,
    /// This address.
    Address(Address),
}

impl FromStr for SignerArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let address = text.parse();
        address
            .map(Self::Address)
            .map_err(|error| format!("neither `any` nor an address: {error}"))
    }
}

/// Takes any text: a parser that refuses one would repeat it.
#[allow(clippy::unnecessary_wraps)]
fn key(text: &str) -> Result<StreamKey, Infallible> {
    Ok(StreamKey::new(text))
}
