//! Which node holds the builder under test.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::hex;
use blockwright_chain::dev::DevGenesis;
use blockwright_launch::dev_accounts;
use blockwright_types::OpFork;

/// Where the builder is, by `BLOCKWRIGHT_HOST`: "embedded", which it is where nothing is named, or "op-reth".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Embedded,
    OpReth,
}

/// How to run a node.
pub struct Launch {
    pub command: Command,
    /// Of a development chain that has none of its own.
    pub clock: Option<ClockPlan>,
}

/// Whose blocks a clock makes.
#[derive(Clone, Copy, Debug)]
pub struct ClockPlan {
    pub block_time_s: u64,
    pub fork: OpFork,
}

/// In what the hosts differ, as docs/hosts.md says.
impl Host {
    /// JSON-RPC is not ours: other words for refusals, and a pending block of its own.
    pub fn has_own_rpc(self) -> bool {
        self == Self::OpReth
    }

    /// The newest blocks are in memory alone for a while, and a SIGKILL costs them.
    pub fn loses_newest_blocks(self) -> bool {
        self == Self::OpReth
    }

    /// What was imported can be built on only once a fork choice has chosen it.
    pub fn builds_on_chosen_blocks_alone(self) -> bool {
        self == Self::OpReth
    }

    /// What stands before the names of our metrics.
    pub fn metrics_prefix(self) -> &'static str {
        match self {
            Self::Embedded => "",
            Self::OpReth => "reth_",
        }
    }
}

impl Host {
    pub fn under_test() -> Self {
        match std::env::var("BLOCKWRIGHT_HOST").as_deref() {
            Err(_) | Ok("" | "embedded") => Self::Embedded,
            Ok("op-reth") => Self::OpReth,
            Ok(other) => panic!("BLOCKWRIGHT_HOST: there is no host {other:?}"),
        }
    }

    /// The command that does with this host what `blockwright ARGS` does, `ports` and all; what it keeps
    /// without a data directory of its own goes to `scratch`.
    pub fn launch(self, args: &[&str], ports: &[(&str, u16)], scratch: &Path) -> Launch {
        match self {
            Self::OpReth if matches!(args.first(), Some(&"dev" | &"node")) => {
                op_reth(args, ports, scratch)
            }
            _ => {
                let mut command = super::process::binary();
                command.args(args).arg("--json");
                for (flag, port) in ports {
                    command.arg(format!("--{flag}")).arg(port.to_string());
                }
                Launch {
                    command,
                    clock: None,
                }
            }
        }
    }
}

fn op_reth(args: &[&str], ports: &[(&str, u16)], scratch: &Path) -> Launch {
    let program = std::env::var_os("BLOCKWRIGHT_BIN");
    let program = program.expect("BLOCKWRIGHT_BIN names the binary of BLOCKWRIGHT_HOST=op-reth");
    let mut command = super::process::without_settings(Command::new(program));
    command.arg("node");
    let mut chain = DevChain::default();
    let (mut datadir, mut others) = (scratch.join("data"), Vec::new());
    let mut rest = args[1..].iter();
    while let Some(arg) = rest.next() {
        let mut value = || *rest.next().unwrap();
        match *arg {
            "--block-time" => chain.block_time_s = value().trim_end_matches('s').parse().unwrap(),
            "--fork" => chain.genesis.fork = value().parse().unwrap(),
            "--gas-limit" => chain.genesis.gas_limit = value().parse().unwrap(),
            "--datadir" => datadir = value().into(),
            other => others.push(other),
        }
    }
    command.args(&others).arg("--datadir").arg(&datadir);
    let is_dev = args.first() == Some(&"dev");
    if is_dev {
        let genesis = datadir.join("genesis.json");
        chain.make_genesis(&genesis);
        command.arg("--chain").arg(genesis);
    }
    complete(&mut command, &others, is_dev);
    for (flag, port) in ports {
        match *flag {
            // op-reth does not tell which one its metrics got.
            "metrics.port" => {
                let address = format!("127.0.0.1:{}", free_port());
                command.arg("--metrics").arg(address);
            }
            // On one port HTTP and WebSocket have the same namespaces.
            "ws.port" if has(&others, "--ws.api") || has(&others, "--http.api") => {
                command.arg("--ws.port").arg(free_port().to_string());
            }
            _ => {
                command.arg(format!("--{flag}")).arg(port.to_string());
            }
        }
    }
    let clock = is_dev.then_some(ClockPlan {
        block_time_s: chain.block_time_s,
        fork: chain.genesis.fork,
    });
    Launch { command, clock }
}

fn has(args: &[&str], flag: &str) -> bool {
    args.iter().any(|arg| arg.starts_with(flag))
}

/// What `blockwright` has without being told, and op-reth has not.
fn complete(command: &mut Command, given: &[&str], is_dev: bool) {
    if is_dev {
        let secp = hex::encode(dev_accounts().swap_remove(9).signer.to_bytes());
        let bls = hex::encode([0x0b; 32]);
        for (flag, key) in [
            ("--builder-api.secp-key", secp),
            ("--builder-api.bls-key", bls),
        ] {
            if !has(given, flag) {
                command.arg(format!("{flag}-hex")).arg(key);
            }
        }
    }
    let namespaces = match is_dev {
        true => "eth,net,web3,txpool,debug,miner,builder",
        false => "eth,net,web3,txpool,debug,miner",
    };
    for flag in ["--http.api", "--ws.api"] {
        if !has(given, flag) {
            command.args([flag, namespaces]);
        }
    }
    command.args(["--http", "--ws", "--ipcdisable"]);
    command.args(["--disable-discovery", "--port", "0", "--no-persist-peers"]);
    command.args(["--log.file.max-files", "0", "--color", "never"]);
    command.args(["--log.stdout.format", "json"]);
}

/// What `blockwright dev` would make.
struct DevChain {
    block_time_s: u64,
    genesis: DevGenesis,
}

impl Default for DevChain {
    fn default() -> Self {
        Self {
            block_time_s: 2,
            genesis: DevGenesis::default(),
        }
    }
}

impl DevChain {
    /// The genesis at `path`, where there is none yet.
    fn make_genesis(&self, path: &Path) {
        if path.exists() {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let genesis = DevGenesis {
            timestamp: now.as_secs(),
            ..self.genesis.clone()
        };
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let json = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
        std::fs::write(path, json).unwrap();
    }
}

/// A port nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
