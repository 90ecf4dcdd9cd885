//! A builder as a child process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::BenchError;

/// How long a builder may take to open its ports: a genesis of a million accounts is to be hashed.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a builder may take to end; then it is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(20);
/// Between two looks at a process or a port that tells nothing by itself.
const POLL_EVERY: Duration = Duration::from_millis(20);
/// Lines of the builder's log that an error shows.
const LOG_LINES_SHOWN: usize = 12;

/// A child process whose output goes to a file. Dropping it ends it by SIGTERM.
#[derive(Debug)]
pub(crate) struct BuilderProcess {
    child: Child,
    ready: Receiver<()>,
}

impl BuilderProcess {
    /// Starts `command` with its output in the file `log`.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Result<Self, BenchError> {
        let failed = |error: std::io::Error| BenchError::Start {
            what: format!("{}: {error}", command.get_program().to_string_lossy()),
        };
        let file = File::create(log).map_err(failed)?;
        let errors = file.try_clone().map_err(failed)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn();
        let failed = |error: std::io::Error| BenchError::Start {
            what: format!("{}: {error}", command.get_program().to_string_lossy()),
        };
        let mut child = child.map_err(failed)?;
        let (is_ready, ready) = sync_channel(1);
        if let Some(stdout) = child.stdout.take() {
            // Ends with the process, which closes the pipe.
            let copying = std::thread::Builder::new()
                .name("bench-builder-log".to_owned())
                .spawn(move || {
                    copy_log(BufReader::new(stdout), file, || {
                        let _ = is_ready.try_send(());
                    });
                });
            if let Err(error) = copying {
                end(&mut child);
                return Err(failed(error));
            }
        }
        Ok(Self { child, ready })
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the log line `ready` among JSON lines on its standard output.
    pub(crate) fn wait_for_ready(&mut self, log: &Path) -> Result<(), BenchError> {
        match self.ready.recv_timeout(READY_WITHIN) {
            Ok(()) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => Err(not_started("ended", log)),
            Err(RecvTimeoutError::Timeout) => Err(not_started("is not ready", log)),
        }
    }

    /// Waits until all `ports` are listened on.
    pub(crate) fn wait_for_ports(&mut self, ports: &[u16], log: &Path) -> Result<(), BenchError> {
        let deadline = Instant::now() + READY_WITHIN;
        let open = |port: &u16| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
        };
        while !ports.iter().all(open) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Err(not_started("ended", log));
            }
            if Instant::now() >= deadline {
                return Err(not_started("does not listen on its ports", log));
            }
            std::thread::sleep(POLL_EVERY);
        }
        Ok(())
    }
}

impl Drop for BuilderProcess {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let deadline = Instant::now() + ENDS_WITHIN;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() >= deadline {
            tracing::warn!(pid = child.id(), "the builder does not end; killed");
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        std::thread::sleep(POLL_EVERY);
    }
}

/// Copies lines to `file`; calls `ready` at the line whose message is `ready`.
fn copy_log(lines: impl BufRead, mut file: File, ready: impl Fn()) {
    let mut waiting = true;
    for line in lines.lines().map_while(Result::ok) {
        // A full disk is no reason to stop the builder.
        let _ = writeln!(file, "{line}");
        if waiting && is_ready(&line) {
            waiting = false;
            ready();
        }
    }
}

fn is_ready(line: &str) -> bool {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    line["fields"]["message"] == "ready"
}

fn not_started(what: &str, log: &Path) -> BenchError {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
    BenchError::Start {
        what: format!("it {what}; its log ends with\n{}", last.join("\n")),
    }
}
