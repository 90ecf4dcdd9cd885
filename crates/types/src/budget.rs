//! Four-dimensional block budgets.

use crate::{DaBytes, Gas};

/// A resource that is limited per block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Execution gas.
    Gas,
    /// Estimated compressed bytes on the DA layer.
    DaBytes,
    /// Jovian's DA footprint, in gas units.
    DaFootprint,
    /// Encoded transaction bytes.
    Size,
}

/// What has been used, cumulatively over a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Gas used.
    pub gas: Gas,
    /// DA bytes.
    pub da: DaBytes,
    /// DA footprint (Jovian; zero before).
    pub da_footprint: Gas,
    /// Encoded bytes.
    pub size_bytes: u64,
}

impl Usage {
    /// Both usages together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            gas: self.gas + other.gas,
            da: self.da + other.da,
            da_footprint: self.da_footprint + other.da_footprint,
            size_bytes: self.size_bytes.saturating_add(other.size_bytes),
        }
    }
}

/// Limits of a slot or a block; `MAX` in a dimension means unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Cumulative gas.
    pub gas: Gas,
    /// Cumulative DA bytes.
    pub da: DaBytes,
    /// Cumulative DA footprint.
    pub da_footprint: Gas,
    /// Cumulative encoded bytes.
    pub size_bytes: u64,
    /// DA bytes of one transaction.
    pub da_tx: DaBytes,
}

impl Budget {
    /// No limit in any dimension.
    pub const UNLIMITED: Self = Self {
        gas: Gas::MAX,
        da: DaBytes::MAX,
        da_footprint: Gas::MAX,
        size_bytes: u64::MAX,
        da_tx: DaBytes::MAX,
    };

    /// The first dimension in which `usage` exceeds this budget.
    pub fn exceeded_by(&self, usage: &Usage) -> Option<Dimension> {
        if usage.gas > self.gas {
            Some(Dimension::Gas)
        } else if usage.da > self.da {
            Some(Dimension::DaBytes)
        } else if usage.da_footprint > self.da_footprint {
            Some(Dimension::DaFootprint)
        } else if usage.size_bytes > self.size_bytes {
            Some(Dimension::Size)
        } else {
            None
        }
    }
}
