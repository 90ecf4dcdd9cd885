//! A stream that is subscribed to when it is first asked for something.

use std::pin::Pin;

use blockwright_launch::Dialect;
use blockwright_watch::{Access, Listening, WatchError, listen};

use super::source::Item;

pub(super) struct Subscription {
    /// What keeps the connection, until it runs.
    subscriber: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    listening: Listening,
}

impl Subscription {
    pub(super) fn new(url: &str, dialect: Dialect, access: &Access) -> Result<Self, WatchError> {
        let (subscriber, listening) = listen(url, dialect, access)?;
        Ok(Self {
            subscriber: Some(Box::pin(subscriber.run())),
            listening,
        })
    }

    pub(super) async fn next(&mut self) -> Option<Item> {
        if let Some(subscriber) = self.subscriber.take() {
            tokio::spawn(subscriber);
        }
        Some(match self.listening.next().await? {
            Ok(heard) => Item::Heard(heard),
            Err(WatchError::Unreadable {
                at_us,
                size_bytes,
                cause,
            }) => Item::Unreadable {
                at_us,
                size_bytes,
                cause: cause.to_string(),
            },
            Err(WatchError::Missed { cause, .. }) => Item::Missed(cause),
            Err(error @ WatchError::Refused { .. }) => Item::Failed(error),
            Err(error) => Item::Trouble(error.to_string()),
        })
    }
}
