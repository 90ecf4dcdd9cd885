//! A builder that the meter starts itself, on free ports of this machine.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;

use crate::builder_process::BuilderProcess;
use crate::{BenchError, RunPlan, Target, Timing, Workload};

/// Subscribers that a builder with a crowd lets in beside it: the meter, and hostile peers.
const SUBSCRIBERS_SPARE: u32 = 256;

/// Which builder to start, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuilderProgram {
    /// `blockwright node`, with the plan's `builder_args` behind the meter's own.
    Blockwright {
        /// The executable.
        binary: PathBuf,
    },
    /// Any builder: a command line, split at white space and run without a shell, in which
    /// `{genesis}`, `{datadir}`, `{jwt}`, `{engine_port}`, `{rpc_port}`, `{stream_port}`,
    /// `{interval_ms}` and `{block_time_ms}` are replaced.
    Command {
        /// The command line.
        template: String,
    },
}

/// A running builder. Dropping it ends the process by SIGTERM and removes its data.
#[derive(Debug)]
pub struct LocalBuilder {
    // Held to be dropped, and dropped before the folder: fields go in this order.
    _process: BuilderProcess,
    scratch: Scratch,
    target: Target,
}

impl LocalBuilder {
    /// Starts `program` on the chain and at the rhythm of the workload's plan, and waits until it
    /// listens. Blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// Where the genesis cannot be written, or the process cannot be started, ends at once, or does
    /// not listen within two minutes; the last lines of its log are part of the message.
    pub fn start(program: &BuilderProgram, workload: &Workload) -> Result<Self, BenchError> {
        let scratch = Scratch::new()?;
        let genesis = scratch.path.join("genesis.json");
        workload.write_genesis(&genesis)?;
        match program {
            BuilderProgram::Blockwright { binary } => {
                Self::blockwright(scratch, binary, &genesis, workload.plan())
            }
            BuilderProgram::Command { template } => {
                Self::command(scratch, template, &genesis, &workload.plan().timing)
            }
        }
    }

    /// Where it listens, with its process id.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Its log.
    pub fn log_path(&self) -> PathBuf {
        self.scratch.log()
    }

    fn blockwright(
        scratch: Scratch,
        binary: &Path,
        genesis: &Path,
        plan: &RunPlan,
    ) -> Result<Self, BenchError> {
        let endpoints = scratch.path.join("endpoints.json");
        let mut command = Command::new(binary);
        // What configures the meter's own verbs must not configure the builder.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BLOCKWRIGHT_") {
                command.env_remove(name);
            }
        }
        command.args(["node", "--json", "--chain"]).arg(genesis);
        command.arg("--datadir").arg(scratch.path.join("data"));
        command.arg("--endpoints").arg(&endpoints);
        for port in ["http", "ws", "authrpc", "flashblocks", "metrics"] {
            command.args([format!("--{port}.port"), "0".to_owned()]);
        }
        let interval = format!("{}ms", plan.timing.interval_ms);
        command.args(["--flashblocks.block-time", &interval]);
        if plan.crowd.subscribers > 0 {
            let most = plan.crowd.subscribers.saturating_add(SUBSCRIBERS_SPARE);
            command.args(["--flashblocks.max-subscribers", &most.to_string()]);
        }
        command.args(&plan.builder_args);
        let mut process = BuilderProcess::spawn(command, &scratch.log())?;
        process.wait_for_ready(&scratch.log())?;
        let unreadable = |cause: String| BenchError::Start {
            what: format!("endpoints file {}: {cause}", endpoints.display()),
        };
        let text = fs::read(&endpoints).map_err(|error| unreadable(error.to_string()))?;
        let found: Endpoints =
            serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        let target = Target {
            engine_url: found.authrpc,
            jwt_path: found.jwt,
            rpc_url: found.http,
            stream_url: found.flashblocks,
            pid: Some(process.id()),
            validate: None,
        };
        Ok(Self {
            _process: process,
            scratch,
            target,
        })
    }

    fn command(
        scratch: Scratch,
        template: &str,
        genesis: &Path,
        timing: &Timing,
    ) -> Result<Self, BenchError> {
        let jwt = scratch.path.join("jwt.hex");
        let secret = hex::encode(rand::random::<[u8; 32]>());
        fs::write(&jwt, secret).map_err(|error| scratch.failed(&error))?;
        let [engine, rpc, stream] = free_ports().map_err(|error| scratch.failed(&error))?;
        let text = |path: &Path| path.display().to_string();
        let values = [
            ("{genesis}", text(genesis)),
            ("{datadir}", text(&scratch.path.join("data"))),
            ("{jwt}", text(&jwt)),
            ("{engine_port}", engine.to_string()),
            ("{rpc_port}", rpc.to_string()),
            ("{stream_port}", stream.to_string()),
            ("{interval_ms}", timing.interval_ms.to_string()),
            ("{block_time_ms}", (timing.block_time_s * 1_000).to_string()),
        ];
        let mut words = template.split_whitespace().map(|word| fill(word, &values));
        let program = words.next().ok_or_else(|| BenchError::Start {
            what: "the builder command is empty".to_owned(),
        })?;
        let mut command = Command::new(program);
        command.args(words);
        let mut process = BuilderProcess::spawn(command, &scratch.log())?;
        process.wait_for_ports(&[engine, rpc, stream], &scratch.log())?;
        let target = Target {
            engine_url: format!("http://127.0.0.1:{engine}"),
            jwt_path: jwt,
            rpc_url: format!("http://127.0.0.1:{rpc}"),
            stream_url: format!("ws://127.0.0.1:{stream}"),
            pid: Some(process.id()),
            validate: None,
        };
        Ok(Self {
            _process: process,
            scratch,
            target,
        })
    }
}

/// What `--endpoints` of Blockwright writes.
#[derive(Deserialize)]
struct Endpoints {
    http: String,
    authrpc: String,
    flashblocks: String,
    jwt: PathBuf,
}

fn fill(word: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(word.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}

/// Ports nobody listens on just now, all different.
fn free_ports() -> std::io::Result<[u16; 3]> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [free()?, free()?, free()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// A folder that goes with its owner.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, BenchError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("blockwright-bench-{}-{number}", std::process::id());
        let scratch = Self {
            path: std::env::temp_dir().join(name),
        };
        fs::create_dir_all(&scratch.path).map_err(|error| scratch.failed(&error))?;
        Ok(scratch)
    }

    fn log(&self) -> PathBuf {
        self.path.join("builder.log")
    }

    fn failed(&self, error: &std::io::Error) -> BenchError {
        BenchError::Start {
            what: format!("{}: {error}", self.path.display()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, folder = %self.path.display(), "left behind");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
