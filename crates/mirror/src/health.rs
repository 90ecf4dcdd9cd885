//! Whether there is anything to mirror.

use core::fmt;

/// What the upstreams of a mirror are, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// One is connected, and not stalled.
    Live,
    /// None is connected.
    Unconnected,
    /// Whichever is connected has sent nothing for two intervals.
    Stalled,
}

impl Health {
    /// Of all upstreams.
    pub(crate) fn of(links: impl Iterator<Item = Link>) -> Self {
        let mut health = Self::Unconnected;
        for link in links {
            match link {
                Link::Live => return Self::Live,
                Link::Stalled => health = Self::Stalled,
                Link::Down => {}
            }
        }
        health
    }
}

impl fmt::Display for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Live => "ok",
            Self::Unconnected => "no upstream is connected",
            Self::Stalled => "all connected upstreams are stalled",
        })
    }
}

/// The connection to one upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Link {
    #[default]
    Down,
    Live,
    Stalled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_live_upstream_is_enough() {
        for (links, health) in [
            (&[Link::Down, Link::Stalled, Link::Live][..], Health::Live),
            (&[Link::Stalled, Link::Down], Health::Stalled),
            (&[Link::Down, Link::Down], Health::Unconnected),
        ] {
            assert_eq!(Health::of(links.iter().copied()), health);
        }
    }
}
