//! The flags of the flashblock stream.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use blockwright_outlets::{
    ApiKey, KeySource, MetadataDetail, RingLimits, SecretText, StreamSettings, TlsFiles,
};
use clap::Args;

use crate::duration;
use crate::secret;

/// Who may subscribe to the stream, and what is held for them.
#[derive(Debug, Args)]
#[group(id = "blockwright.stream")]
#[command(next_help_heading = "Flashblock stream")]
pub struct StreamArgs {
    /// Most flashblock subscribers.
    #[arg(id = "flashblocks.max-subscribers", long = "flashblocks.max-subscribers", env = "BLOCKWRIGHT_FLASHBLOCKS_MAX_SUBSCRIBERS",
          default_value_t = StreamSettings::default().subscribers_max, value_name = "N")]
    max_subscribers: usize,
    /// Most flashblock subscribers from one address.
    #[arg(id = "flashblocks.max-per-address", long = "flashblocks.max-per-address", env = "BLOCKWRIGHT_FLASHBLOCKS_MAX_PER_ADDRESS",
          default_value_t = StreamSettings::default().subscribers_per_address_max, value_name = "N")]
    max_per_address: usize,
    /// Most flashblock subscribers with one API key.
    #[arg(id = "flashblocks.max-per-key", long = "flashblocks.max-per-key", env = "BLOCKWRIGHT_FLASHBLOCKS_MAX_PER_KEY",
          default_value_t = StreamSettings::default().subscribers_per_key_max, value_name = "N")]
    max_per_key: usize,
    /// How long frames are held for subscribers that resume.
    #[arg(id = "flashblocks.ring-time", long = "flashblocks.ring-time", env = "BLOCKWRIGHT_FLASHBLOCKS_RING_TIME",
          default_value = "12s", value_name = "TIME", value_parser = duration::milliseconds)]
    ring_time: Duration,
    /// Most frames held for subscribers that resume.
    #[arg(id = "flashblocks.ring-frames", long = "flashblocks.ring-frames", env = "BLOCKWRIGHT_FLASHBLOCKS_RING_FRAMES",
          default_value_t = RingLimits::default().frames_max, value_name = "N")]
    ring_frames: usize,
    /// Most bytes of frames held for subscribers that resume; this block's and the last one's stay
    /// whatever their size.
    #[arg(id = "flashblocks.ring-size", long = "flashblocks.ring-size", env = "BLOCKWRIGHT_FLASHBLOCKS_RING_SIZE",
          default_value_t = RingLimits::default().size_bytes_max, value_name = "BYTES")]
    ring_size: usize,
    /// Key without which nobody may subscribe; may be repeated, separated by commas, or in the file a
    /// list (default: everybody may). Environment and file keep it out of the list of processes.
    #[arg(id = "flashblocks.api-key", long = "flashblocks.api-key", env = "BLOCKWRIGHT_FLASHBLOCKS_API_KEY",
          hide_env_values = true, value_name = "KEY", value_delimiter = ',', value_parser = api_key)]
    api_key: Vec<ApiKey>,
    /// PEM file of the certificate chain to serve the stream with TLS; needs --flashblocks.tls-key.
    #[arg(
        id = "flashblocks.tls-cert",
        long = "flashblocks.tls-cert",
        env = "BLOCKWRIGHT_FLASHBLOCKS_TLS_CERT",
        value_name = "FILE"
    )]
    tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's private key, mode 0600 or less; needs --flashblocks.tls-cert.
    #[arg(
        id = "flashblocks.tls-key",
        long = "flashblocks.tls-key",
        env = "BLOCKWRIGHT_FLASHBLOCKS_TLS_KEY",
        value_name = "FILE"
    )]
    tls_key: Option<PathBuf>,
}

/// What a builder's stream says.
#[derive(Debug, Args)]
#[group(id = "blockwright.content")]
#[command(next_help_heading = "Flashblock stream")]
pub struct ContentArgs {
    /// How much the metadata of JSON frames tells a subscriber that does not ask.
    #[arg(id = "flashblocks.metadata", long = "flashblocks.metadata", env = "BLOCKWRIGHT_FLASHBLOCKS_METADATA",
          default_value_t = MetadataDetail::Full, value_name = "full|minimal|empty")]
    metadata: MetadataDetail,
    /// Name the flashblock before in the metadata of all JSON frames.
    #[arg(id = "flashblocks.prev-id", long = "flashblocks.prev-id", env = "BLOCKWRIGHT_FLASHBLOCKS_PREV_ID",
          value_parser = clap::builder::FalseyValueParser::new())]
    prev_id: bool,
    /// File with the key that signs flashblocks, mode 0600 or less: a Web3 keystore, or 32 bytes in hex.
    #[arg(
        id = "flashblocks.sign-key",
        long = "flashblocks.sign-key",
        env = "BLOCKWRIGHT_FLASHBLOCKS_SIGN_KEY",
        value_name = "FILE"
    )]
    sign_key: Option<PathBuf>,
    /// File with the password of the keystore, mode 0600 or less (default: asks at the terminal).
    #[arg(
        id = "flashblocks.sign-key-password-file",
        long = "flashblocks.sign-key-password-file",
        env = "BLOCKWRIGHT_FLASHBLOCKS_SIGN_KEY_PASSWORD_FILE",
        value_name = "FILE"
    )]
    sign_key_password_file: Option<PathBuf>,
    /// The key itself, for development alone: prefer the file.
    #[arg(id = "flashblocks.sign-key-hex", long = "flashblocks.sign-key-hex", env = "BLOCKWRIGHT_FLASHBLOCKS_SIGN_KEY_HEX",
          hide_env_values = true, value_name = "HEX", value_parser = secret)]
    sign_key_hex: Option<SecretText>,
}

/// Takes any text: what is wrong with a key is said without repeating it, which this parser's errors
/// would do.
#[allow(clippy::unnecessary_wraps)]
fn api_key(text: &str) -> Result<ApiKey, Infallible> {
    Ok(ApiKey::new(text))
}

impl StreamArgs {
    /// The stream's settings.
    pub fn settings(self) -> StreamSettings {
        StreamSettings {
            subscribers_max: self.max_subscribers,
            subscribers_per_address_max: self.max_per_address,
            subscribers_per_key_max: self.max_per_key,
            ring: RingLimits {
                age: self.ring_time,
                frames_max: self.ring_frames,
                size_bytes_max: self.ring_size,
            },
            api_keys: self.api_key,
            tls: TlsFiles {
                cert: self.tls_cert,
                key: self.tls_key,
            },
            ..StreamSettings::default()
        }
    }
}

impl ContentArgs {
    /// The stream's settings, completed.
    pub fn settings(self, settings: StreamSettings) -> StreamSettings {
        StreamSettings {
            metadata: self.metadata,
            prev_id: self.prev_id,
            sign_key: KeySource {
                file: self.sign_key,
                password_file: self.sign_key_password_file,
                hex: self.sign_key_hex,
            },
            ..settings
        }
    }
}
