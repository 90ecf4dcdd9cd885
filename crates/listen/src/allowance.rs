//! Requests in a second, from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use crate::slots::account;

/// Addresses that are remembered. Beyond it the one that was silent for longest is forgotten, which gives
/// it its whole allowance back: it would have it by then, most likely.
const ADDRESSES_MAX: usize = 4_096;

/// What one address may ask for: so many requests a second on average, twice as many at once. Clones
/// share everything.
#[derive(Clone, Debug)]
pub struct Allowance {
    per_second: f64,
    left: Arc<Mutex<HashMap<IpAddr, Left>>>,
}

/// What an address had left, and when.
#[derive(Clone, Copy, Debug)]
struct Left {
    requests: f64,
    at: Instant,
}

impl Allowance {
    /// `per_second` requests a second for each address (one IPv6 network is one address).
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second: f64::from(per_second),
            left: Arc::default(),
        }
    }

    /// Counts a request from `address` at `now`; `false` where it is one too many, which costs the address
    /// nothing.
    pub fn take(&self, address: IpAddr, now: Instant) -> bool {
        let address = account(address);
        let most = 2.0 * self.per_second;
        let mut all = self.left.lock();
        let requests = all.get(&address).map_or(most, |left| {
            let waited = now.saturating_duration_since(left.at).as_secs_f64();
            (left.requests + waited * self.per_second).min(most)
        });
        let is_allowed = requests >= 1.0;
        if !all.contains_key(&address) && all.len() >= ADDRESSES_MAX {
            forget_one(&mut all);
        }
        let requests = if is_allowed { requests - 1.0 } else { requests };
        all.insert(address, Left { requests, at: now });
        is_allowed
    }
}

fn forget_one(all: &mut HashMap<IpAddr, Left>) {
    let oldest = all.iter().min_by_key(|(_, left)| left.at);
    if let Some(address) = oldest.map(|(address, _)| *address) {
        all.remove(&address);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    fn v4(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn twice_the_rate_at_once_and_then_the_rate() {
        let allowance = Allowance::new(10);
        let start = Instant::now();
        assert!((0..20).all(|_| allowance.take(v4(1), start)));
        assert!(!allowance.take(v4(1), start));
        assert!(allowance.take(v4(2), start), "each for itself");
        let later = start + Duration::from_millis(500);
        let taken = (0..20).filter(|_| allowance.take(v4(1), later)).count();
        assert_eq!(taken, 5);
        let much_later = start + Duration::from_secs(3_600);
        let taken = (0..50)
            .filter(|_| allowance.take(v4(1), much_later))
            .count();
        assert_eq!(taken, 20);
    }

    #[test]
    fn who_goes_on_asking_gets_the_rate_all_the_same() {
        let allowance = Allowance::new(10);
        let start = Instant::now();
        let asked = (0..10_000).map(|ms| start + Duration::from_millis(ms));
        let taken = asked.filter(|at| allowance.take(v4(1), *at)).count();
        assert!((118..=120).contains(&taken), "{taken} in ten seconds");
    }

    #[test]
    fn memory_is_bounded_and_the_last_ones_are_remembered() {
        let allowance = Allowance::new(1);
        let start = Instant::now();
        for number in 0..10_000 {
            assert!(allowance.take(v4(number), start + Duration::from_micros(number.into())));
        }
        assert_eq!(allowance.left.lock().len(), ADDRESSES_MAX);
        let end = start + Duration::from_micros(10_000);
        assert!(allowance.take(v4(9_999), end));
        assert!(!allowance.take(v4(9_999), end), "two at once, no more");
    }
}
