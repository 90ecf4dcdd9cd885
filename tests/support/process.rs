//! The binary as a child process.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::dev_clock::DevClock;
use super::host::{Host, Launch};

/// Generous: debug builds on a loaded two-core machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What the endpoints file says.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub http: String,
    pub ws: String,
    pub authrpc: String,
    pub flashblocks: String,
    pub metrics: String,
    pub builder_api: String,
    pub builder_events: String,
    pub jwt: PathBuf,
}

/// A running `blockwright`.
pub struct Blockwright {
    /// Where the host has none of its own.
    clock: Option<DevClock>,
    child: Child,
    lines: Receiver<String>,
    /// Said before everything was reachable.
    said_early: Vec<Value>,
    pub endpoints: Endpoints,
    pub started_in: Duration,
    _scratch: tempfile::TempDir,
}

/// `blockwright`: the one built with the tests, or the one that `BLOCKWRIGHT_BIN` names, unless that is another
/// host's.
pub fn binary() -> Command {
    let other = std::env::var_os("BLOCKWRIGHT_BIN");
    let other = other.filter(|_| Host::under_test() == Host::Embedded);
    let path = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_blockwright").into());
    without_settings(Command::new(path))
}

/// A command that does not see what was set for the tests.
pub fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BLOCKWRIGHT_")) {
        command.env_remove(name);
    }
    command
}

/// What `blockwright ARGS` says where it does not start, on free ports.
pub fn refused_start(args: &[&str]) -> String {
    let servers = [
        "http",
        "ws",
        "authrpc",
        "flashblocks",
        "metrics",
        "builder-api",
    ];
    let ports = servers.map(|server| format!("--{server}.port=0"));
    let mut command = binary();
    command.args(args).args(ports);
    if args.first() == Some(&"dev") {
        command.arg("--builder-api.events-port=0");
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{args:?} was accepted");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Blockwright {
    /// Starts `blockwright ARGS` on free ports and waits until it says that it is ready.
    pub fn start(args: &[&str]) -> Self {
        Self::start_at(args, 0)
    }

    /// The same with JSON-RPC over HTTP at `http_port`.
    pub fn start_at(args: &[&str], http_port: u16) -> Self {
        let mut ports = vec![("http.port", http_port)];
        let always = [
            "ws.port",
            "authrpc.port",
            "flashblocks.port",
            "metrics.port",
        ];
        ports.extend(always.map(|flag| (flag, 0)));
        // A node has one only where it is asked for, with a key.
        if args.first() == Some(&"dev") || args.contains(&"--builder-api.secp-key") {
            ports.push(("builder-api.port", 0));
        }
        if args.first() == Some(&"dev") {
            ports.push(("builder-api.events-port", 0));
        }
        Self::start_on(args, &ports)
    }

    /// The same for `blockwright mirror ARGS`.
    pub fn start_mirror(args: &[&str]) -> Self {
        let args = [&["mirror"], args].concat();
        Self::start_on(&args, &[("flashblocks.port", 0), ("metrics.port", 0)])
    }

    fn start_on(args: &[&str], ports: &[(&str, u16)]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("endpoints.json");
        let before = Instant::now();
        let Launch { mut command, clock } = Host::under_test().launch(args, ports, scratch.path());
        let mut child = command
            .args(["--endpoints", file.to_str().unwrap()])
            // What a killed process leaves behind goes with the test.
            .env("TMPDIR", scratch.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        // Small on purpose only in memory: the reader drops lines nobody waits for.
        let (sender, lines) = sync_channel(65_536);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.try_send(line);
            }
        });
        let mut said_early = Vec::new();
        wait_for(&lines, "ready", READY_WITHIN, |line| said_early.push(line));
        let started_in = before.elapsed();
        let json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        // A mirror has fewer than a node.
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        let endpoints = Endpoints {
            http: text("http"),
            ws: text("ws"),
            authrpc: text("authrpc"),
            flashblocks: text("flashblocks"),
            metrics: text("metrics"),
            builder_api: text("builder_api"),
            builder_events: text("builder_events"),
            jwt: text("jwt").into(),
        };
        let clock = clock.map(|plan| DevClock::start(&endpoints, plan));
        Self {
            clock,
            child,
            lines,
            said_early,
            endpoints,
            started_in,
            _scratch: scratch,
        }
    }

    /// Waits for a log line whose message contains `message`.
    pub fn wait_for_log(&self, message: &str, within: Duration) -> Value {
        wait_for(&self.lines, message, within, drop)
    }

    /// The same of one that may have been said before everything was reachable.
    pub fn wait_for_early_log(&self, message: &str, within: Duration) -> Value {
        let early = self.said_early.iter().find(|line| says(line, message));
        early
            .cloned()
            .unwrap_or_else(|| self.wait_for_log(message, within))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes, now.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            * 1024
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.clock = None;
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; returns whether the process ended with success.
    pub fn stop(mut self) -> bool {
        self.clock = None;
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Drop for Blockwright {
    fn drop(&mut self) {
        self.clock = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn says(line: &Value, message: &str) -> bool {
    let said = line["fields"]["message"].as_str();
    said.is_some_and(|said| said.contains(message))
}

/// Waits for a line; those before it are `skipped`.
fn wait_for(
    lines: &Receiver<String>,
    message: &str,
    within: Duration,
    mut skipped: impl FnMut(Value),
) -> Value {
    let deadline = Instant::now() + within;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                let json: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
                if says(&json, message) {
                    return json;
                }
                skipped(json);
            }
            Err(RecvTimeoutError::Timeout) => panic!("no log line with {message:?} in {within:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the process ended before {message:?}"),
        }
    }
}
