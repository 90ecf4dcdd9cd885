//! From where transactions are taken.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use jsonrpsee::Extensions;

/// Addresses that transactions may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A network; a single address is one of full length.
    Network {
        /// Its address.
        addr: IpAddr,
        /// Bits of it that count.
        prefix_bits: u8,
    },
    /// Nobody: for a node whose transactions come over the Engine API's port alone.
    Nobody,
}

/// A text that names no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an IP address, a network such as 10.0.0.0/8, or none")]
pub struct SourceError;

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        if text == "none" {
            return Ok(Self::Nobody);
        }
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().map_err(|_| SourceError)?;
        let bits = if addr.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| SourceError)?,
            None => bits,
        };
        if prefix_bits > bits {
            return Err(SourceError);
        }
        Ok(Self::Network { addr, prefix_bits })
    }
}

impl Source {
    fn contains(self, peer: IpAddr) -> bool {
        let Self::Network { addr, prefix_bits } = self else {
            return false;
        };
        let prefix_bits = u32::from(prefix_bits);
        match (addr, peer) {
            (IpAddr::V4(addr), IpAddr::V4(peer)) => {
                let differing = addr.to_bits() ^ peer.to_bits();
                differing.leading_zeros() >= prefix_bits
            }
            (IpAddr::V6(addr), IpAddr::V6(peer)) => {
                let differing = addr.to_bits() ^ peer.to_bits();
                differing.leading_zeros() >= prefix_bits
            }
            _ => false,
        }
    }
}

/// The list; an empty one lets everybody send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Arc<[Source]>);

impl Sources {
    /// A list of sources.
    pub fn new(list: Vec<Source>) -> Self {
        Self(list.into())
    }

    /// Whether anybody is kept out.
    pub fn is_limited(&self) -> bool {
        !self.0.is_empty()
    }

    /// The address a request comes from, where it is kept out.
    pub(crate) fn refused(&self, request: &Extensions) -> Option<Refused> {
        if !self.is_limited() {
            return None;
        }
        let peer = request.get::<Peer>().map(|Peer(peer)| *peer);
        let listed = peer.is_some_and(|peer| self.0.iter().any(|source| source.contains(peer)));
        (!listed).then_some(Refused(peer))
    }
}

/// A peer that is not listed; without an address where none is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) Option<IpAddr>);

/// Who sent a request, as the accepting loop saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    /// An IPv4 address is one also where it comes over an IPv6 socket.
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self(addr.ip().to_canonical())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lets_in(list: &[&str], peer: &str) -> bool {
        let sources = Sources::new(list.iter().map(|text| text.parse().unwrap()).collect());
        let mut request = Extensions::new();
        request.insert(Peer::new(SocketAddr::new(peer.parse().unwrap(), 1)));
        sources.refused(&request).is_none()
    }

    #[test]
    fn networks_and_addresses_let_in_what_they_contain() {
        for (list, peer, expected) in [
            (&[][..], "192.0.2.1", true),
            (&["192.0.2.1"], "192.0.2.1", true),
            (&["192.0.2.1"], "192.0.2.2", false),
            (&["10.0.0.0/8"], "10.255.0.1", true),
            (&["10.0.0.0/8"], "11.0.0.1", false),
            (&["10.1.2.3/8"], "10.9.9.9", true),
            (&["0.0.0.0/0"], "203.0.113.9", true),
            (&["0.0.0.0/0"], "::1", false),
            (&["10.0.0.0/8"], "::ffff:10.0.0.1", true),
            (&["2001:db8::/33"], "2001:db8:7fff::1", true),
            (&["2001:db8::/33"], "2001:db8:8000::1", false),
            (&["::/0", "127.0.0.1"], "127.0.0.1", true),
            (&["none"], "127.0.0.1", false),
            (&["none", "127.0.0.1"], "127.0.0.1", true),
        ] {
            assert_eq!(lets_in(list, peer), expected, "{list:?} {peer}");
        }
    }

    #[test]
    fn a_request_without_an_address_is_kept_out_where_anybody_is() {
        let unknown = Extensions::new();
        assert_eq!(Sources::default().refused(&unknown), None);
        let limited = Sources::new(vec!["0.0.0.0/0".parse().unwrap()]);
        assert_eq!(limited.refused(&unknown), Some(Refused(None)));
    }

    #[test]
    fn other_texts_are_no_sources() {
        for text in [
            "",
            "localhost",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "1.2.3",
        ] {
            assert_eq!(text.parse::<Source>(), Err(SourceError), "{text}");
        }
    }
}
