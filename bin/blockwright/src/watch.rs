//! `blockwright watch`: a stream of flashblocks as it comes.

mod args;
pub(crate) use args::WatchArgs;

mod asks;

mod beside;

mod output;

mod source;

mod subscription;

mod terminal;

use std::io::IsTerminal as _;

use blockwright_watch::{FlashblockSeen, Heard, Monitor, MonitorRules, RecordingWriter};
use eyre::{bail, ensure};

use crate::run::{self, ShutdownSignals};
use asks::{Answer, Asks};
use output::Output;
use source::{Item, Source};

pub(crate) fn run(args: WatchArgs) -> eyre::Result<()> {
    // Nothing but the view may write to its screen.
    if !args.is_on_screen() || !std::io::stderr().is_terminal() {
        crate::logging::init_warnings()?;
    }
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

struct Watch {
    monitor: Monitor,
    output: Output,
    record: Option<RecordingWriter>,
    asks: Asks,
    /// Blocks that ended and were not compared with the node's.
    uncompared: u64,
    blocks_left: Option<u64>,
    /// Findings are failures.
    strict: bool,
    /// The source or the number of blocks came to its end.
    is_over: bool,
}

impl Watch {
    fn new(args: &WatchArgs, source: &Source, output: Output) -> eyre::Result<Self> {
        let record = args.record.as_deref();
        let record = record.map(|path| RecordingWriter::create(path, source.dialect()));
        let rules = MonitorRules {
            dialect: source.dialect(),
            verify: args.verify,
            signers: args.signer_rule()?,
        };
        Ok(Self {
            monitor: Monitor::new(rules),
            output,
            record: record.transpose()?,
            asks: Asks::new(args.rpc.clone()),
            uncompared: 0,
            // The last block is complete when the next one begins.
            blocks_left: args.blocks.map(|blocks| blocks.saturating_add(1)),
            strict: args.verify,
            is_over: false,
        })
    }

    /// Until the source ends, the number of blocks is reached and what was asked is answered, or until
    /// nobody looks any more.
    async fn follow(&mut self, mut source: Source) -> eyre::Result<()> {
        while !self.is_over {
            tokio::select! {
                item = source.next(), if self.asks.has_room() => match item {
                    Some(item) => self.is_over = self.item(item)?,
                    None => self.is_over = true,
                },
                Some(answer) = self.asks.next() => self.compare(answer)?,
                quit = self.output.turn(&self.monitor) => if quit? {
                    return Ok(());
                },
            }
            if self.output.is_closed() {
                return Ok(());
            }
        }
        while let Some(answer) = self.asks.next().await {
            self.compare(answer)?;
        }
        Ok(())
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
            Item::Missed(cause) => {
                let finding = self.monitor.missed(cause);
                self.output.missed(&finding)?;
                return Ok(false);
            }
            Item::Trouble(error) => {
                self.output.trouble(error)?;
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
        if seen.index == 0 && seen.is_accepted {
            self.ended(seen.block_number)?;
            if let Some(left) = &mut self.blocks_left {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    // What is wrong between the last block and this one is shown.
                    if !seen.findings.is_empty() {
                        self.output.flashblock(seen)?;
                    }
                    return Ok(true);
                }
            }
        }
        self.output.flashblock(seen)?;
        Ok(false)
    }

    /// Block `next` has begun: the one before it has ended, unless it is replaced.
    fn ended(&mut self, next: u64) -> eyre::Result<()> {
        let mut newest = self.monitor.blocks().iter().rev();
        if let Some(block) = newest.nth(1).filter(|block| block.number < next) {
            self.output.ended(block)?;
            self.asks.ask(block.number);
        }
        Ok(())
    }

    fn compare(&mut self, Answer { number, sealed }: Answer) -> eyre::Result<()> {
        let compared = sealed.and_then(|sealed| {
            let findings = self.monitor.sealed(number, &sealed);
            findings.ok_or_else(|| "it is no longer remembered".to_owned())
        });
        match compared {
            Ok(findings) => {
                for finding in &findings {
                    self.output.sealed(number, finding)?;
                }
            }
            Err(cause) => {
                self.uncompared += 1;
                self.output.not_compared(number, &cause)?;
                let note = format!("block {number} was not compared: {cause}");
                self.monitor.note(note);
            }
        }
        Ok(())
    }

    fn end(self) -> eyre::Result<()> {
        drop(self.output);
        if !self.strict {
            return Ok(());
        }
        let findings = self.monitor.totals().findings;
        if findings > 0 {
            bail!("{findings} things are wrong with the stream");
        }
        let uncompared = self.uncompared;
        ensure!(
            uncompared == 0,
            "{uncompared} blocks could not be compared with those of the node"
        );
        ensure!(
            !self.is_over || !self.monitor.blocks().is_empty(),
            "no block began: nothing was verified"
        );
        Ok(())
    }
}
