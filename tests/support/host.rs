//! Which node holds the builder under test.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::hex;
use blockwright_chain::dev::DevGenesis;
use blockwright_launch::dev_accounts;

/// Where the builder is, by `BLOCKWRIGHT_HOST`: "embedded", which it is where nothing is named, or "op-reth".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Embedded,
    OpReth,
}

/// How to run a node.
pub struct Launch {
    pub command: Command,
    /// Seconds between blocks of a development chain that has no clock of its own.
    pub clock_s: Option<u64>,
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
                    clock_s: None,
                }
            }
        }
    }
}

/// Calls that tests make, beside op-reth's own choice.
const NAMESPACES: &str = "eth,net,web3,txpool,debug,miner,builder";

fn op_reth(args: &[&str], ports: &[(&str, u16)], scratch: &Path) -> Launch {
    let program = std::env::var_os("BLOCKWRIGHT_BIN");
    let program = program.expect("BLOCKWRIGHT_BIN names the binary of BLOCKWRIGHT_HOST=op-reth");
    let mut command = super::process::without_settings(Command::new(program));
    command.arg("node");
    let is_dev = args.first() == Some(&"dev");
    let mut rest = args[1..].iter();
    let (mut clock_s, mut datadir) = (2, None);
    let has = |flag: &str| args.iter().any(|arg| arg.starts_with(flag));
    while let Some(arg) = rest.next() {
        match *arg {
            "--block-time" => {
                let text = rest.next().unwrap().trim_end_matches('s');
                clock_s = text.parse().unwrap();
            }
            "--datadir" => datadir = rest.next().copied(),
            other => {
                command.arg(other);
            }
        }
    }
    let datadir = datadir.map_or_else(|| scratch.join("data"), Into::into);
    command.arg("--datadir").arg(&datadir);
    if is_dev {
        let genesis = datadir.join("genesis.json");
        make_genesis(&genesis);
        command.arg("--chain").arg(genesis);
        if !has("--builder-api.secp-key") {
            let key = dev_accounts().swap_remove(9).signer.to_bytes();
            command.args(["--builder-api.secp-key-hex", &hex::encode(key)]);
        }
    }
    if !has("--http.api") {
        command.args(["--http.api", NAMESPACES]);
    }
    if !has("--ws.api") {
        command.args(["--ws.api", NAMESPACES]);
    }
    for (flag, port) in ports {
        if *flag == "metrics.port" {
            command
                .arg("--metrics")
                .arg(format!("127.0.0.1:{}", free_port()));
        } else {
            command.arg(format!("--{flag}")).arg(port.to_string());
        }
    }
    let always = [
        "--http",
        "--ws",
        "--ipcdisable",
        "--disable-discovery",
        "--port",
        "0",
        "--no-persist-peers",
        "--log.file.max-files",
        "0",
        "--log.stdout.format",
        "json",
        "--color",
        "never",
    ];
    command.args(always.map(OsString::from));
    Launch {
        command,
        clock_s: is_dev.then_some(clock_s),
    }
}

/// A development chain's genesis, as `blockwright dev` makes it, where there is none yet.
fn make_genesis(path: &Path) {
    if path.exists() {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let genesis = DevGenesis {
        timestamp: now.as_secs(),
        ..DevGenesis::default()
    };
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let json = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
    std::fs::write(path, json).unwrap();
}

/// A port nobody listens on: op-reth does not tell which one its metrics got.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
