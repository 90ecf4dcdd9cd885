//! Newtypes that keep gas, data-availability bytes and wall-clock instants apart.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $suffix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// Zero of this unit.
            pub const ZERO: Self = Self(0);
            /// The largest value; stands for "no limit".
            pub const MAX: Self = Self(u64::MAX);

            /// Subtracts, stopping at zero.
            pub const fn saturating_sub(self, rhs: Self) -> Self {
                Self(self.0.saturating_sub(rhs.0))
            }

            /// Adds, stopping at the largest value.
            pub const fn saturating_add(self, rhs: Self) -> Self {
                Self(self.0.saturating_add(rhs.0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, rhs: Self) -> Self {
                self.saturating_add(rhs)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, rhs: Self) {
                *self = *self + rhs;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, rhs: Self) -> Self {
                self.saturating_sub(rhs)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $suffix), self.0)
            }
        }
    };
}

unit!(
    /// An amount of gas. Arithmetic saturates: a gas sum that leaves `u64` is over every limit anyway.
    Gas,
    " gas"
);
unit!(
    /// Estimated compressed size in bytes on the data-availability layer (Fjord's FastLZ estimate).
    DaBytes,
    " B"
);
unit!(
    /// Microseconds since the Unix epoch. Microseconds, because a slot's remaining work is planned
    /// from per-transaction costs of a few of them.
    UnixUs,
    " us"
);

impl UnixUs {
    /// The start of the second `timestamp_s` (a block header's timestamp).
    pub const fn from_secs(timestamp_s: u64) -> Self {
        Self(timestamp_s.saturating_mul(1_000_000))
    }

    /// This instant moved `duration_us` microseconds into the future.
    pub const fn plus_us(self, duration_us: u64) -> Self {
        Self(self.0.saturating_add(duration_us))
    }

    /// This instant moved `duration_us` microseconds into the past.
    pub const fn minus_us(self, duration_us: u64) -> Self {
        Self(self.0.saturating_sub(duration_us))
    }

    /// Microseconds from `earlier` to this instant; zero where `earlier` is later.
    pub const fn since_us(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
