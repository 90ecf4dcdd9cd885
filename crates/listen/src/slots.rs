//! Connections at once, in total and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Counts connections. Check and count are one step under one lock.
#[derive(Clone, Debug)]
pub struct Slots {
    total_max: usize,
    per_address_max: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Which limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All connections are taken.
    Total,
    /// The address has its share.
    Address,
}

/// A connection that is counted for as long as this lives.
#[derive(Debug)]
pub struct Slot {
    address: IpAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Slots {
    /// Room for `total_max` connections, `per_address_max` of them from one address.
    pub fn new(total_max: usize, per_address_max: usize) -> Self {
        Self {
            total_max,
            per_address_max,
            taken: Arc::default(),
        }
    }

    /// Counts a connection from `address`, or says which limit forbids it.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn take(&self, address: IpAddr) -> Result<Slot, Full> {
        let address = account(address);
        let mut taken = self.taken.lock();
        if taken.total >= self.total_max {
            return Err(Full::Total);
        }
        let of_address = taken.by_address.get(&address).copied().unwrap_or(0);
        if of_address >= self.per_address_max {
            return Err(Full::Address);
        }
        taken.total += 1;
        taken.by_address.insert(address, of_address + 1);
        Ok(Slot {
            address,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.total = taken.total.saturating_sub(1);
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// The address that a connection is counted under: one household has one IPv4 address but a whole IPv6 /64.
pub fn account(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn total_and_address_are_limited_and_given_back() {
        let slots = Slots::new(3, 2);
        let a1 = slots.take(address("10.0.0.1")).unwrap();
        let _a2 = slots.take(address("::ffff:10.0.0.1")).unwrap();
        assert_eq!(slots.take(address("10.0.0.1")).unwrap_err(), Full::Address);
        let _b = slots.take(address("10.0.0.2")).unwrap();
        assert_eq!(slots.take(address("10.0.0.3")).unwrap_err(), Full::Total);
        drop(a1);
        assert!(slots.take(address("10.0.0.3")).is_ok());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let slots = Slots::new(9, 1);
        let _first = slots.take(address("2001:db8::1")).unwrap();
        assert_eq!(
            slots.take(address("2001:db8::ffff:2")).unwrap_err(),
            Full::Address
        );
        assert!(slots.take(address("2001:db8:0:1::1")).is_ok());
    }
}
