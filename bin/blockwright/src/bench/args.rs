//! The command line of `blockwright bench`. Every flag is also an environment variable
//! (`BLOCKWRIGHT_BENCH_` + the flag in capitals with underscores).

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use blockwright_bench::{ChainPlan, CrowdPlan, Load, Pace, RunPlan, Target, Timing, TroublePlan};
use blockwright_flags::duration;
use clap::{Args, Subcommand, ValueEnum};
use eyre::WrapErr;

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(super) verb: BenchVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum BenchVerb {
    /// Write the genesis a builder needs for a run, and the plan of the run.
    Genesis(Box<GenesisArgs>),
    /// Measure a builder that is running.
    Run(Box<RunArgs>),
    /// Start a builder on this machine and measure it.
    Local(Box<LocalArgs>),
    /// Start a builder for each run of a set and measure it.
    Set(Box<SetArgs>),
    /// Show two reports beside each other.
    Compare(CompareArgs),
}

#[derive(Debug, Args)]
pub(super) struct GenesisArgs {
    /// Directory for genesis.json and plan.json, made when missing.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_OUT", value_name = "DIR")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) validate: ValidateArgs,
}

#[derive(Debug, Args)]
pub(super) struct LocalArgs {
    #[command(flatten)]
    pub(super) builder: BuilderCommandArgs,
    /// One more argument for `blockwright node`; may be repeated.
    #[arg(
        long = "builder-arg",
        env = "BLOCKWRIGHT_BENCH_BUILDER_ARG",
        value_name = "ARG",
        allow_hyphen_values = true
    )]
    pub(super) builder_args: Vec<String>,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) validate: ValidateArgs,
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// Which set.
    #[arg(value_name = "SET")]
    pub(super) set: SetName,
    /// Directory for a JSON report of each run.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_OUT", value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Take the report of a run from --out where one of the same plan is there already: for a set that
    /// was interrupted, or of which some runs have changed.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_RESUME", requires = "out")]
    pub(super) resume: bool,
    /// Markdown file whose tables are written anew.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_DOCS", value_name = "FILE")]
    pub(super) docs: Option<PathBuf>,
    /// Commit that the tables name as the measured one.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_COMMIT",
        default_value = "unknown",
        value_name = "COMMIT"
    )]
    pub(super) commit: String,
    /// Only runs whose name contains this text.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_ONLY", value_name = "TEXT")]
    pub(super) only: Option<String>,
    /// Another builder to measure right after on each load, and how to start it, as --builder-command
    /// says; may be repeated.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_BESIDE",
        value_name = "NAME=COMMAND",
        allow_hyphen_values = true
    )]
    pub(super) beside: Vec<Beside>,
    #[command(flatten)]
    pub(super) builder: BuilderCommandArgs,
}

/// A builder that is measured beside ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beside {
    /// Stands behind the names of its runs.
    pub(super) name: String,
    /// Its command line.
    pub(super) command: String,
}

impl FromStr for Beside {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=');
        let parts = parts.map(|(name, command)| (name.trim(), command.trim()));
        match parts.filter(|(name, command)| !name.is_empty() && !command.is_empty()) {
            Some((name, command)) => Ok(Self {
                name: name.to_owned(),
                command: command.to_owned(),
            }),
            None => Err(format!("{text:?} is not NAME=COMMAND")),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// JSON report.
    #[arg(value_name = "A")]
    pub(super) a: PathBuf,
    /// JSON report to compare with it.
    #[arg(value_name = "B")]
    pub(super) b: PathBuf,
}

/// A set of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SetName {
    /// A minute; correctness only.
    Quick,
    /// Ten minutes; what docs/benchmarks.md shows.
    Standard,
    /// Four minutes a builder; for --beside.
    Hosts,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Builder")]
pub(super) struct TargetArgs {
    /// Engine API.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_ENGINE",
        default_value = "http://127.0.0.1:8551",
        value_name = "URL"
    )]
    engine: String,
    /// File with the JWT secret of the Engine API.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_JWT", value_name = "FILE")]
    jwt: PathBuf,
    /// JSON-RPC that takes transactions.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_RPC",
        default_value = "http://127.0.0.1:8545",
        value_name = "URL"
    )]
    rpc: String,
    /// Flashblock stream.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_STREAM",
        default_value = "ws://127.0.0.1:1111",
        value_name = "URL"
    )]
    stream: String,
    /// Process id of the builder, where it runs on this machine: its processor time and memory are
    /// measured.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_PID", value_name = "PID")]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Builder")]
pub(super) struct BuilderCommandArgs {
    /// Command line of another builder, split at blanks and run without a shell; {genesis},
    /// {datadir}, {jwt}, {engine_port}, {rpc_port}, {stream_port}, {interval_ms} and
    /// {block_time_ms} are replaced (default: this program as `blockwright node`).
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_BUILDER_COMMAND",
        value_name = "COMMAND",
        allow_hyphen_values = true
    )]
    pub(super) builder_command: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Write the report as JSON.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_JSON", value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Second node")]
pub(super) struct ValidateArgs {
    /// Engine API of a second node on the same genesis, into which every block is replayed after the
    /// run.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_VALIDATE",
        value_name = "URL",
        requires = "validate_jwt"
    )]
    validate: Option<String>,
    /// File with its JWT secret.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_VALIDATE_JWT", value_name = "FILE")]
    validate_jwt: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct PlanArgs {
    /// A plan as `bench genesis` writes it, in place of all other flags of this section.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_PLAN", value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Name of the run in tables.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_NAME",
        default_value = "run",
        value_name = "NAME"
    )]
    name: String,
    /// What each transaction does: transfers, erc20, fresh-receivers, new-slots, compute, mixed.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_LOAD", default_value = "transfers", value_name = "LOAD",
          value_parser = load)]
    load: Load,
    /// Open loop: transactions a second (default: 100).
    #[arg(long, env = "BLOCKWRIGHT_BENCH_RATE", value_name = "TX_PER_S",
          conflicts_with_all = ["flood", "prefill"])]
    rate: Option<f64>,
    /// As fast as the builder takes them, with at most so many sent and not sealed.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_FLOOD",
        value_name = "PENDING",
        conflicts_with = "prefill"
    )]
    flood: Option<u64>,
    /// So many before the first block, and nothing after.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_PREFILL", value_name = "N")]
    prefill: Option<u64>,
    /// Blocks under load.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_BLOCKS",
        default_value_t = 20,
        value_name = "N"
    )]
    blocks: u64,
    /// Block time: whole seconds ("1", "2s").
    #[arg(long, env = "BLOCKWRIGHT_BENCH_BLOCK_TIME", default_value = "1s", value_name = "TIME",
          value_parser = duration::block_time)]
    block_time: u64,
    /// Interval between flashblocks: a bare number is milliseconds, at least 50.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_INTERVAL", default_value = "250ms", value_name = "TIME",
          value_parser = duration::flashblock_interval)]
    interval: Duration,
    /// How long before a block's timestamp its payload is asked for.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_SEAL_MARGIN", default_value = "50ms", value_name = "TIME",
          value_parser = duration::milliseconds)]
    seal_margin: Duration,
    /// Accounts that send.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_SENDERS",
        default_value_t = 5_000,
        value_name = "N"
    )]
    senders: u32,
    /// Further accounts and token holders in the state, from which receivers are drawn.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_ACCOUNTS",
        default_value_t = 0,
        value_name = "N"
    )]
    accounts: u32,
    /// Block gas limit.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_GAS_LIMIT",
        default_value_t = 1_000_000_000,
        value_name = "GAS"
    )]
    gas_limit: u64,
    /// Fork in force from genesis; from Jovian on the DA footprint caps a block's transactions.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_FORK",
        default_value = "isthmus",
        value_name = "FORK"
    )]
    fork: blockwright_launch::OpFork,
    /// Chain id.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_CHAIN_ID",
        default_value_t = 901,
        value_name = "ID"
    )]
    chain_id: u64,
    /// Transactions a JSON-RPC batch.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_BATCH",
        default_value_t = 100,
        value_name = "N"
    )]
    batch: usize,
    /// HTTP connections that send.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_CONNECTIONS",
        default_value_t = 4,
        value_name = "N"
    )]
    connections: usize,
    /// Every key, address and choice follows from it.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_SEED",
        default_value_t = 1,
        value_name = "SEED"
    )]
    seed: u64,
    #[command(flatten)]
    crowd: CrowdArgs,
    #[command(flatten)]
    trouble: TroubleArgs,
}

#[derive(Debug, Args)]
struct TroubleArgs {
    /// Of 100 slots, those whose fork choice comes late, by up to nine tenths of the block time.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_LATE_FORK_CHOICES", default_value_t = 0,
          value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    late_fork_choices: u8,
    /// Of 100 slots, those whose payload comes to nothing: never asked for, overtaken by other
    /// attributes, or handed out and never imported.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_DROPPED_PAYLOADS", default_value_t = 0,
          value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=90))]
    dropped_payloads: u8,
    /// A further subscriber that resumes is cut off after every so much time; 0 for none.
    #[arg(long, env = "BLOCKWRIGHT_BENCH_CUT_EVERY", default_value = "0ms", value_name = "TIME",
          value_parser = duration::milliseconds)]
    cut_every: Duration,
}

impl TroubleArgs {
    fn plan(&self) -> TroublePlan {
        TroublePlan {
            late_fork_choices_percent: self.late_fork_choices,
            dropped_payloads_percent: self.dropped_payloads,
            cut_every_ms: millis(self.cut_every),
        }
    }
}

#[derive(Debug, Args)]
struct CrowdArgs {
    /// Subscribers of the stream beside the meter, from loopback addresses of their own.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_SUBSCRIBERS",
        default_value_t = 0,
        value_name = "N"
    )]
    subscribers: u32,
    /// Hostile peers of each kind at the stream: never reading, half open, slow in the handshake,
    /// sending huge frames.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_HOSTILE",
        default_value_t = 0,
        value_name = "N"
    )]
    hostile: u32,
    /// Connections to the stream that are opened and dropped over the run.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BENCH_HOSTILE_CONNECTS",
        default_value_t = 0,
        value_name = "N"
    )]
    hostile_connects: u32,
}

impl CrowdArgs {
    const fn plan(&self) -> CrowdPlan {
        CrowdPlan {
            subscribers: self.subscribers,
            hostile: self.hostile,
            connects: self.hostile_connects,
        }
    }
}

impl PlanArgs {
    /// The plan of the file or of the flags, checked.
    pub(super) fn plan(&self) -> eyre::Result<RunPlan> {
        let plan = match &self.plan {
            Some(path) => {
                let text = std::fs::read(path)
                    .wrap_err_with(|| format!("plan {} cannot be read", path.display()))?;
                serde_json::from_slice(&text)
                    .wrap_err_with(|| format!("{} is not a plan", path.display()))?
            }
            None => self.of_flags(),
        };
        plan.validate()?;
        Ok(plan)
    }

    fn of_flags(&self) -> RunPlan {
        RunPlan {
            name: self.name.clone(),
            load: self.load,
            pace: self.pace(),
            chain: ChainPlan {
                fork: self.fork,
                chain_id: self.chain_id,
                gas_limit: self.gas_limit,
                senders: self.senders,
                accounts: self.accounts,
                seed: self.seed,
            },
            timing: Timing {
                block_time_s: self.block_time,
                interval_ms: millis(self.interval),
                seal_margin_ms: millis(self.seal_margin),
            },
            blocks: self.blocks,
            batch: self.batch,
            connections: self.connections,
            roots_required: false,
            builder_args: Vec::new(),
            crowd: self.crowd.plan(),
            trouble: self.trouble.plan(),
        }
    }

    fn pace(&self) -> Pace {
        match (self.flood, self.prefill) {
            (Some(pending_max), _) => Pace::Flood { pending_max },
            (None, Some(count)) => Pace::Prefilled { count },
            (None, None) => Pace::Rate {
                tx_per_s: self.rate.unwrap_or(100.0),
            },
        }
    }
}

impl TargetArgs {
    /// The builder, without a second node.
    pub(super) fn target(&self) -> Target {
        Target {
            engine_url: self.engine.clone(),
            jwt_path: self.jwt.clone(),
            rpc_url: self.rpc.clone(),
            stream_url: self.stream.clone(),
            pid: self.pid,
            validate: None,
        }
    }
}

impl ValidateArgs {
    /// The second node.
    pub(super) fn node(&self) -> Option<(String, PathBuf)> {
        self.validate.clone().zip(self.validate_jwt.clone())
    }
}

/// A load by its name in plans.
fn load(text: &str) -> Result<Load, String> {
    let name = serde_json::Value::String(text.to_owned());
    serde_json::from_value(name).map_err(|error| error.to_string())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
