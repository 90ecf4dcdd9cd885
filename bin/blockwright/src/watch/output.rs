//! Where a watch shows.

use std::io::{ErrorKind, Write as _};

use blockwright_watch::{BlockSeen, Finding, FlashblockSeen, Monitor};
use serde_json::{Value, json};

use super::WatchArgs;
use super::source::Source;
use super::terminal::Terminal;

/// Standard output.
pub(super) struct Output {
    form: Form,
    /// Nobody reads it any more.
    is_closed: bool,
}

enum Form {
    Terminal(Box<Terminal>),
    Json,
    Text,
}

impl Output {
    pub(super) fn of(args: &WatchArgs, source: &Source) -> eyre::Result<Self> {
        let form = if args.json {
            Form::Json
        } else if args.is_on_screen() {
            Form::Terminal(Box::new(Terminal::start(&source.name())?))
        } else {
            Form::Text
        };
        Ok(Self {
            form,
            is_closed: false,
        })
    }

    /// Whether nobody reads it any more.
    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Draws now and then; whether the user wants to leave. Without a terminal it never returns.
    pub(super) async fn turn(&mut self, monitor: &Monitor) -> eyre::Result<bool> {
        match &mut self.form {
            Form::Terminal(terminal) => terminal.turn(monitor).await,
            Form::Json | Form::Text => std::future::pending().await,
        }
    }

    pub(super) fn flashblock(&mut self, seen: &FlashblockSeen) -> eyre::Result<()> {
        match &mut self.form {
            Form::Terminal(terminal) => {
                terminal.connected();
                Ok(())
            }
            Form::Json => self.say(&serde_json::to_string(seen)?),
            Form::Text => self.say(&line(seen)),
        }
    }

    /// A block has ended.
    pub(super) fn ended(&mut self, block: &BlockSeen) -> eyre::Result<()> {
        let arrival_ms = block.arrival_ms();
        match &self.form {
            Form::Terminal(_) => Ok(()),
            Form::Json => {
                let event = json!({
                    "event": "block", "block_number": block.number, "payload_id": block.payload_id,
                    "flashblocks": block.flashblocks.len(), "transactions": block.transactions,
                    "gas_used": block.gas_used(),
                    "first_after_timestamp_ms": arrival_ms.map(|(first, _)| first),
                    "last_after_timestamp_ms": arrival_ms.map(|(_, last)| last),
                });
                self.say(&event.to_string())
            }
            Form::Text => match arrival_ms {
                Some((first, last)) => self.say(&format!(
                    "block {}: first flashblock at {first:+.1} ms, last at {last:+.1} ms of its timestamp",
                    block.number
                )),
                None => Ok(()),
            },
        }
    }

    /// Something is wrong with what a node sealed at `number`; the screen has it from the monitor.
    pub(super) fn sealed(&mut self, number: u64, finding: &Finding) -> eyre::Result<()> {
        let event = || json!({"event": "sealed", "block_number": number, "findings": [finding]});
        self.event(event, || format!("block {number}: {}", finding.text))
    }

    /// A block that no node told anything of; the screen has it from the monitor.
    pub(super) fn not_compared(&mut self, number: u64, cause: &str) -> eyre::Result<()> {
        let event = || json!({"event": "not_compared", "block_number": number, "text": cause});
        self.event(event, || {
            format!("block {number} was not compared: {cause}")
        })
    }

    /// Flashblocks are missing, or may be; the screen has it from the monitor.
    pub(super) fn missed(&mut self, finding: &Finding) -> eyre::Result<()> {
        let event = || json!({"event": "gap", "findings": [finding]});
        self.event(event, || format!("gap: {}", finding.text))
    }

    /// The stream broke or says nothing.
    pub(super) fn trouble(&mut self, trouble: String) -> eyre::Result<()> {
        if let Form::Terminal(terminal) = &mut self.form {
            terminal.trouble(trouble);
            return Ok(());
        }
        tracing::warn!(error = %trouble, "no stream");
        match &self.form {
            Form::Json => self.say(&json!({"event": "trouble", "text": trouble}).to_string()),
            Form::Terminal(_) | Form::Text => Ok(()),
        }
    }

    fn event(
        &mut self,
        event: impl FnOnce() -> Value,
        text: impl FnOnce() -> String,
    ) -> eyre::Result<()> {
        match &self.form {
            Form::Terminal(_) => Ok(()),
            Form::Json => self.say(&event().to_string()),
            Form::Text => self.say(&text()),
        }
    }

    /// Writes a line, unless nobody reads any more.
    fn say(&mut self, line: &str) -> eyre::Result<()> {
        match writeln!(std::io::stdout().lock(), "{line}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.is_closed = true,
            written => written?,
        }
        Ok(())
    }
}

fn line(seen: &FlashblockSeen) -> String {
    let since = seen.since_previous_ms.unwrap_or_default();
    let hash = if seen.has_root {
        seen.block_hash.to_string()
    } else {
        "no roots".to_owned()
    };
    let mut line = format!(
        "{}-{} {} txs {} gas {} bytes +{since:.1} ms {}",
        seen.block_number, seen.index, seen.transactions, seen.gas_used, seen.size_bytes, hash
    );
    if seen.verified == Some(true) {
        line.push_str(" proved");
    }
    if let Some(signer) = seen.signer {
        line.push_str(&format!(" signed by {signer}"));
    }
    for finding in &seen.findings {
        line.push_str(&format!(" [{:?}: {}]", finding.kind, finding.text));
    }
    line
}
