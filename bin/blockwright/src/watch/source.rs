//! Where frames come from.

use std::time::Duration;

use blockwright_watch::{Heard, Listening, Recording, WatchError, listen};
use eyre::OptionExt as _;
use tokio::time::Instant;

use super::WatchArgs;

/// A stream or a recording.
pub(super) enum Source {
    Stream {
        url: String,
        listening: Listening,
    },
    Recording {
        name: String,
        recording: Recording,
        /// Frames come when they came, unless they are wanted as text.
        paced: bool,
        previous_us: Option<u64>,
        /// Read and not due yet: whoever waits may be interrupted.
        pending: Option<(Instant, Heard)>,
    },
}

pub(super) enum Item {
    Heard(Heard),
    /// The stream broke, and is tried again.
    Trouble(WatchError),
    /// There will be no more.
    Failed(WatchError),
}

impl Source {
    pub(super) fn open(args: &WatchArgs) -> eyre::Result<Self> {
        if let Some(path) = &args.replay {
            return Ok(Self::Recording {
                name: path.display().to_string(),
                recording: Recording::open(path)?,
                paced: !args.json && !args.text,
                previous_us: None,
                pending: None,
            });
        }
        let url = args.url.clone().ok_or_eyre("no URL")?;
        let (subscriber, listening) = listen(&url)?;
        tokio::spawn(subscriber.run());
        Ok(Self::Stream { url, listening })
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Stream { url, .. } => url,
            Self::Recording { name, .. } => name,
        }
    }

    pub(super) async fn next(&mut self) -> Option<Item> {
        match self {
            Self::Stream { listening, .. } => Some(match listening.next().await? {
                Ok(heard) => Item::Heard(heard),
                Err(error) => Item::Trouble(error),
            }),
            Self::Recording {
                recording,
                paced,
                previous_us,
                pending,
                ..
            } => {
                if pending.is_none() {
                    let heard = match recording.next()? {
                        Ok(heard) => heard,
                        Err(error) => return Some(Item::Failed(error)),
                    };
                    let before_us = previous_us.replace(heard.at_us).unwrap_or(heard.at_us);
                    let since_us = heard.at_us.saturating_sub(before_us);
                    let since_us = if *paced { since_us } else { 0 };
                    *pending = Some((Instant::now() + Duration::from_micros(since_us), heard));
                }
                let (due, _) = pending.as_ref()?;
                tokio::time::sleep_until(*due).await;
                pending.take().map(|(_, heard)| Item::Heard(heard))
            }
        }
    }
}
