//! Where frames come from.

use std::time::Duration;

use blockwright_launch::Dialect;
use blockwright_watch::{Heard, Pair, Recording, WatchError};
use eyre::{OptionExt as _, ensure};
use tokio::time::Instant;

use super::WatchArgs;
use super::beside::Beside;
use super::subscription::Subscription;

/// A stream or a recording.
pub(super) struct Source {
    name: String,
    dialect: Dialect,
    frames: Frames,
    /// The frames of dialect `spec` beside the others, where signatures are checked.
    beside: Option<Beside>,
}

pub(super) enum Frames {
    Stream(Subscription),
    Recording(Box<Paced>),
}

/// A recording whose frames come when they came on the screen, and at once otherwise.
pub(super) struct Paced {
    recording: Recording,
    is_paced: bool,
    previous_us: Option<u64>,
    /// Read and not due yet: whoever waits may be interrupted.
    pending: Option<(Instant, Heard)>,
}

pub(super) enum Item {
    Heard(Heard),
    /// With what came beside it.
    Pair(Pair),
    /// Something that came in place of a frame.
    Unreadable {
        at_us: u64,
        size_bytes: usize,
        cause: String,
    },
    /// Flashblocks were missed, or may have been.
    Missed(&'static str),
    /// The stream broke, and is tried again, or says nothing.
    Trouble(String),
    /// There will be no more.
    Failed(WatchError),
}

impl Source {
    pub(super) fn open(args: &WatchArgs) -> eyre::Result<Self> {
        let source = if let Some(path) = &args.replay {
            let recording = Recording::open(path)?;
            Self {
                name: path.display().to_string(),
                dialect: recording.dialect(),
                frames: Frames::Recording(Box::new(Paced {
                    recording,
                    is_paced: args.is_on_screen(),
                    previous_us: None,
                    pending: None,
                })),
                beside: args.is_signed().then(Beside::recorded),
            }
        } else {
            let url = args.url.as_deref().ok_or_eyre("no URL")?;
            let beside = args
                .is_signed()
                .then(|| Beside::streamed(url, &args.access()));
            Self {
                // A query string may hold a key.
                name: url.split('?').next().unwrap_or_default().to_owned(),
                dialect: args.dialect,
                frames: Frames::Stream(Subscription::new(url, args.dialect, &args.access())?),
                beside: beside.transpose()?,
            }
        };
        ensure!(
            source.beside.is_none() || source.dialect != Dialect::Spec,
            "--signer takes frames of a JSON dialect: those of dialect spec have no signatures"
        );
        Ok(source)
    }

    pub(super) fn name(&self) -> String {
        match self.dialect {
            Dialect::V1 => self.name.clone(),
            other => format!("{} ({other})", self.name),
        }
    }

    pub(super) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What comes next; nothing is lost where the wait is given up.
    pub(super) async fn next(&mut self) -> Option<Item> {
        if let Some(beside) = &mut self.beside {
            return beside.next(&mut self.frames).await;
        }
        loop {
            let item = self.frames.next().await?;
            // Others came beside those of the recording.
            if !matches!(&item, Item::Heard(heard) if heard.dialect != self.dialect) {
                return Some(item);
            }
        }
    }
}

impl Frames {
    pub(super) async fn next(&mut self) -> Option<Item> {
        match self {
            Self::Stream(subscription) => subscription.next().await,
            Self::Recording(paced) => paced.next().await,
        }
    }

    pub(super) const fn is_recording(&self) -> bool {
        matches!(self, Self::Recording(_))
    }
}

impl Paced {
    async fn next(&mut self) -> Option<Item> {
        if self.pending.is_none() {
            let heard = match self.recording.next()? {
                Ok(heard) => heard,
                Err(error) => return Some(Item::Failed(error)),
            };
            let before_us = self.previous_us.replace(heard.at_us);
            let since_us = heard.at_us.saturating_sub(before_us.unwrap_or(heard.at_us));
            let since_us = if self.is_paced { since_us } else { 0 };
            self.pending = Some((Instant::now() + Duration::from_micros(since_us), heard));
        }
        let (due, _) = self.pending.as_ref()?;
        tokio::time::sleep_until(*due).await;
        self.pending.take().map(|(_, heard)| Item::Heard(heard))
    }
}
