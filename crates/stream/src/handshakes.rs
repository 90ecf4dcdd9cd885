//! Connections that have not said yet what they want.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use blockwright_listen::account;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Bounds connections in their handshakes, apart from those of subscribers: whoever says nothing takes no
/// place from somebody who subscribes. Where all are taken the oldest one is given up, which a client that
/// means it has long left behind.
#[derive(Clone, Debug)]
pub(crate) struct Handshakes {
    total_max: usize,
    per_address_max: usize,
    pending: Arc<Mutex<Pending>>,
}

#[derive(Debug, Default)]
struct Pending {
    next: u64,
    by_age: BTreeMap<u64, (IpAddr, oneshot::Sender<()>)>,
    by_address: HashMap<IpAddr, usize>,
}

/// A handshake that is counted for as long as this lives.
#[derive(Debug)]
pub(crate) struct Handshake {
    number: u64,
    given_up: oneshot::Receiver<()>,
    pending: Arc<Mutex<Pending>>,
}

impl Handshakes {
    pub(crate) fn new(total_max: usize, per_address_max: usize) -> Self {
        Self {
            total_max,
            per_address_max,
            pending: Arc::default(),
        }
    }

    /// Counts a connection from `address`; `None` where that has its share of handshakes already.
    pub(crate) fn begin(&self, address: IpAddr) -> Option<Handshake> {
        let address = account(address);
        let mut pending = self.pending.lock();
        let of_address = pending.by_address.get(&address).copied().unwrap_or(0);
        if of_address >= self.per_address_max {
            return None;
        }
        if pending.by_age.len() >= self.total_max
            && let Some(oldest) = pending.by_age.keys().next().copied()
        {
            pending.remove(oldest);
        }
        let number = pending.next;
        pending.next += 1;
        let (give_up, given_up) = oneshot::channel();
        pending.by_age.insert(number, (address, give_up));
        *pending.by_address.entry(address).or_default() += 1;
        Some(Handshake {
            number,
            given_up,
            pending: Arc::clone(&self.pending),
        })
    }
}

impl Handshake {
    /// Ready once it is given up for a newer one.
    pub(crate) async fn given_up(&mut self) {
        // Its sender goes when it is given up, and not before.
        let _ = (&mut self.given_up).await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.pending.lock().remove(self.number);
    }
}

impl Pending {
    /// Nothing happens where it is gone already. Dropping the sender tells the handshake.
    fn remove(&mut self, number: u64) {
        let Some((address, _)) = self.by_age.remove(&number) else {
            return;
        };
        if let Some(count) = self.by_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[tokio::test]
    async fn the_oldest_handshake_makes_room() {
        let handshakes = Handshakes::new(3, 2);
        let mut first = handshakes.begin(address(1)).unwrap();
        let mut second = handshakes.begin(address(1)).unwrap();
        assert!(handshakes.begin(address(1)).is_none(), "its share is taken");
        let third = handshakes.begin(address(2)).unwrap();
        assert!(first.given_up().now_or_never().is_none());
        let _fourth = handshakes.begin(address(3)).unwrap();
        first.given_up().await;
        assert!(second.given_up().now_or_never().is_none());
        drop(third);
        let _fifth = handshakes.begin(address(1)).unwrap();
        assert!(second.given_up().now_or_never().is_none());
        drop(first);
        assert_eq!(handshakes.pending.lock().by_age.len(), 3);
        assert_eq!(handshakes.pending.lock().by_address[&address(1)], 2);
    }
}
