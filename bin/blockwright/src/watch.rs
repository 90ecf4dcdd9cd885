//! `blockwright watch`: a stream of flashblocks as it comes.

mod args;
pub(crate) use args::WatchArgs;

mod beside;

mod source;

mod subscription;

mod terminal;

use std::io::IsTerminal as _;

use blockwright_watch::{
    Finding, FlashblockSeen, Heard, Monitor, MonitorRules, RecordingWriter, SealedBlock,
    sealed_block,
};
use eyre::bail;
use tokio::sync::mpsc;

use crate::run::{self, ShutdownSignals};
use source::{Item, Source};
use terminal::Terminal;

/// Answers of the node that wait.
const ANSWERS_MAX: usize = 64;

pub(crate) fn run(args: WatchArgs) -> eyre::Result<()> {
    crate::logging::init_warnings()?;
    run::block_on_workers(2, async move {
        let mut signals = ShutdownSignals::new()?;
        let source = Source::open(&args)?;
        let output = Output::of(&args, &source)?;
        let mut watch = Watch::new(&args, &source, output)?;
        tokio::select! {
            result = watch.follow(source) => result?,
            () = signals.received() => {}
        }
        watch.end()
    })
}

/// Where it shows.
enum Output {
    Terminal(Box<Terminal>),
    Json,
    Text,
}

impl Output {
    fn of(args: &WatchArgs, source: &Source) -> eyre::Result<Self> {
        Ok(if args.json {
            Self::Json
        } else if args.text || !std::io::stdout().is_terminal() {
            Self::Text
        } else {
            Self::Terminal(Box::new(Terminal::start(&source.name())?))
        })
    }
}

struct Watch {
    monitor: Monitor,
    output: Output,
    record: Option<RecordingWriter>,
    rpc: Option<String>,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    blocks_left: Option<u64>,
    /// Findings are failures.
    strict: bool,
}

/// What the node has at a number.
struct Answer {
    number: u64,
    sealed: eyre::Result<Option<SealedBlock>>,
}

impl Watch {
    fn new(args: &WatchArgs, source: &Source, output: Output) -> eyre::Result<Self> {
        let record = args.record.as_deref();
        let record = record.map(|path| RecordingWriter::create(path, source.dialect()));
        let rules = MonitorRules {
            dialect: source.dialect(),
            verify: args.verify,
            signers: args.signers.clone(),
        };
        Ok(Self {
            monitor: Monitor::new(rules),
            output,
            record: record.transpose()?,
            rpc: args.rpc.clone(),
            answers: mpsc::channel(ANSWERS_MAX),
            // The last block is complete when the next one begins.
            blocks_left: args.blocks.map(|blocks| blocks.saturating_add(1)),
            strict: args.verify,
        })
    }

    /// Until the source ends, the number of blocks is reached, or the terminal is quit.
    async fn follow(&mut self, mut source: Source) -> eyre::Result<()> {
        loop {
            tokio::select! {
                item = source.next() => match item {
                    Some(item) => if self.item(item)? {
                        return Ok(());
                    },
                    None => return Ok(()),
                },
                Some(answer) = self.answers.1.recv() => self.compare(answer),
                quit = wait(&mut self.output, &self.monitor) => if quit? {
                    return Ok(());
                },
            }
        }
    }

    /// Takes what the source brought; whether enough blocks were seen.
    fn item(&mut self, item: Item) -> eyre::Result<bool> {
        let seen = match item {
            Item::Heard(heard) => {
                self.keep(&heard)?;
                self.monitor.hear(&heard)
            }
            Item::Pair(pair) => {
                if let Some(beside) = &pair.beside {
                    self.keep(beside)?;
                }
                self.keep(&pair.heard)?;
                self.monitor.hear_pair(&pair)
            }
            Item::Unreadable {
                at_us,
                size_bytes,
                cause,
            } => self.monitor.unreadable(at_us, size_bytes, &cause),
            Item::Trouble(error) => {
                self.trouble(error.to_string());
                return Ok(false);
            }
            Item::Failed(error) => return Err(error.into()),
        };
        self.show(&seen)
    }

    fn keep(&mut self, heard: &Heard) -> eyre::Result<()> {
        if let Some(record) = &mut self.record {
            record.write(heard)?;
        }
        Ok(())
    }

    /// Shows a flashblock; whether enough blocks were seen.
    fn show(&mut self, seen: &FlashblockSeen) -> eyre::Result<bool> {
        let begins = seen.index == 0 && seen.is_accepted;
        if begins {
            if let Some(left) = &mut self.blocks_left {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    return Ok(true);
                }
            }
            self.ask(seen.block_number.saturating_sub(1));
        }
        match &mut self.output {
            Output::Terminal(terminal) => terminal.connected(),
            Output::Json => println!("{}", serde_json::to_string(seen)?),
            Output::Text => println!("{}", line(seen)),
        }
        Ok(false)
    }

    fn trouble(&mut self, error: String) {
        match &mut self.output {
            Output::Terminal(terminal) => terminal.trouble(error),
            Output::Json | Output::Text => tracing::warn!(%error, "no stream"),
        }
    }

    /// Asks the node for the block that was streamed before.
    fn ask(&self, number: u64) {
        let streamed = self
            .monitor
            .blocks()
            .iter()
            .any(|block| block.number == number);
        if let (Some(url), true) = (&self.rpc, streamed) {
            let (url, to) = (url.clone(), self.answers.0.clone());
            tokio::spawn(async move {
                let sealed = sealed_block(&url, number).await.map_err(Into::into);
                // Nobody to tell: the watch has ended.
                let _ = to.send(Answer { number, sealed }).await;
            });
        }
    }

    fn compare(&mut self, Answer { number, sealed }: Answer) {
        match sealed {
            Ok(Some(sealed)) => {
                if let Some(finding) = self.monitor.sealed(number, &sealed) {
                    self.found(number, &finding);
                }
            }
            Ok(None) => tracing::warn!(number, "the node has no such block"),
            Err(error) => tracing::warn!(number, %error, "the node was not asked"),
        }
    }

    fn found(&self, number: u64, finding: &Finding) {
        match &self.output {
            Output::Terminal(_) => {}
            Output::Json => println!(
                "{}",
                serde_json::json!({"block_number": number, "findings": [finding]})
            ),
            Output::Text => println!("block {number}: {}", finding.text),
        }
    }

    fn end(self) -> eyre::Result<()> {
        drop(self.output);
        let findings = self.monitor.totals().findings;
        if self.strict && findings > 0 {
            bail!("{findings} things are wrong with the stream");
        }
        Ok(())
    }
}

/// Draws now and then; whether the user wants to leave. Without a terminal it never returns.
async fn wait(output: &mut Output, monitor: &Monitor) -> eyre::Result<bool> {
    match output {
        Output::Terminal(terminal) => terminal.turn(monitor).await,
        Output::Json | Output::Text => std::future::pending().await,
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
