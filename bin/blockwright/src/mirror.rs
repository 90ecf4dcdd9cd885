//! `blockwright mirror`: many streams made one.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use blockwright_flags::{StreamArgs, duration};
use blockwright_launch::{Dialect, Form, MetadataDetail, MirrorSettings, StreamKey, start_mirror};
use clap::{Args, ValueEnum};

use crate::logging::{self, Voice};
use crate::process_args::{OutletArgs, ProcessArgs};
use crate::run::{self, ShutdownSignals};

#[derive(Debug, Args)]
pub(crate) struct MirrorArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    outlets: OutletArgs,
    #[command(flatten)]
    upstream: UpstreamArgs,
    #[command(flatten)]
    stream: StreamArgs,
}

/// Where the frames come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Upstreams")]
struct UpstreamArgs {
    /// Stream to mirror ("ws://host:port" or "wss://host"); may be repeated, separated by commas, or in the
    /// file a list. All must send the same builder's flashblocks.
    #[arg(
        long = "upstream",
        env = "BLOCKWRIGHT_UPSTREAM",
        value_name = "URL",
        required = true,
        value_delimiter = ',',
        hide_env_values = true
    )]
    urls: Vec<String>,
    /// Key that upstreams ask for: one for all of them, or as many as there are upstreams, in their order.
    /// Environment and file keep it out of the list of processes.
    #[arg(long = "mirror.upstream-key", env = "BLOCKWRIGHT_MIRROR_UPSTREAM_KEY",
          hide_env_values = true, value_name = "KEY", value_delimiter = ',', value_parser = key)]
    keys: Vec<StreamKey>,
    /// PEM file of certificate authorities to believe beside the system's, for wss:// upstreams.
    #[arg(
        long = "mirror.upstream-ca",
        env = "BLOCKWRIGHT_MIRROR_UPSTREAM_CA",
        value_name = "FILE"
    )]
    ca: Option<PathBuf>,
    /// Dialect that is asked of upstreams and sent on.
    #[arg(long = "mirror.dialect", env = "BLOCKWRIGHT_MIRROR_DIALECT",
          default_value_t = Dialect::V1, value_name = "v1|subblocks|spec")]
    dialect: Dialect,
    /// Metadata that is asked of upstreams and sent on.
    #[arg(long = "mirror.metadata", env = "BLOCKWRIGHT_MIRROR_METADATA",
          default_value_t = MetadataDetail::Full, value_name = "full|minimal|empty")]
    metadata: MetadataDetail,
    /// Compression that is asked of upstreams; any that they use is understood.
    #[arg(long = "mirror.encoding", env = "BLOCKWRIGHT_MIRROR_ENCODING", value_enum,
          default_value_t = Packing::Json)]
    encoding: Packing,
    /// Time between flashblocks: an upstream that sends nothing for two of them is stalled (default: as
    /// seen).
    #[arg(long = "mirror.interval", env = "BLOCKWRIGHT_MIRROR_INTERVAL", value_name = "TIME",
          value_parser = duration::flashblock_interval)]
    interval: Option<Duration>,
    /// Largest frame taken from upstreams.
    #[arg(long = "mirror.frame-size", env = "BLOCKWRIGHT_MIRROR_FRAME_SIZE",
          default_value_t = 256 << 20, value_name = "BYTES")]
    frame_size: usize,
}

/// How frames are packed on their way here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Packing {
    Json,
    Brotli,
    Zstd,
}

impl Packing {
    /// What is asked for beyond the default.
    const fn asked(self) -> Option<&'static str> {
        match self {
            Self::Json => None,
            Self::Brotli => Some("brotli"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Takes any text: what is wrong with a key is said without repeating it, which this parser's errors would
/// do.
#[allow(clippy::unnecessary_wraps)]
fn key(text: &str) -> Result<StreamKey, Infallible> {
    Ok(StreamKey::new(text))
}

impl MirrorArgs {
    fn settings(self) -> MirrorSettings {
        let upstream = self.upstream;
        let form = Form::new(upstream.dialect, upstream.metadata);
        MirrorSettings {
            flashblocks: self.outlets.flashblocks(),
            metrics: self.outlets.metrics(),
            endpoints: self.process.endpoints,
            stream: self.stream.settings(),
            upstreams: upstream.urls,
            upstream_keys: upstream.keys,
            upstream_ca: upstream.ca,
            // SSZ is never packed.
            encoding: upstream.encoding.asked().filter(|_| form.is_text()),
            form,
            interval: upstream.interval,
            frame_bytes_max: upstream.frame_size,
        }
    }
}

pub(crate) fn run(args: MirrorArgs) -> eyre::Result<()> {
    let voice = if args.process.json {
        Voice::Json
    } else {
        Voice::Text
    };
    logging::init(&args.process, voice)?;
    run::block_on(async move {
        let mut signals = ShutdownSignals::new()?;
        let mirror = start_mirror(args.settings()).await?;
        signals.received().await;
        mirror.stop().await;
        Ok(())
    })
}
