//! The DA footprint of a block (Jovian), from its transactions alone.

use blockwright_chain::{L1Attributes, L1AttributesFormat};
use blockwright_types::{OpFork, RecoveredTx};
use op_alloy_consensus::OpTxEnvelope;

/// The running footprint.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Footprint {
    /// Gas per estimated DA byte; `None` where the block does not show it.
    scalar: Option<u64>,
    da_bytes: u64,
}

impl Footprint {
    /// Reads the scalar from the block's first transaction, the L1 attributes. The block that
    /// activates Jovian still has its predecessor's format, without one.
    pub(crate) fn open(fork: OpFork, first: Option<&RecoveredTx>) -> Self {
        let scalar = first.filter(|_| fork >= OpFork::Jovian).and_then(scalar_of);
        Self {
            scalar,
            da_bytes: 0,
        }
    }

    pub(crate) const fn add(&mut self, tx: &RecoveredTx) {
        self.da_bytes = self.da_bytes.saturating_add(tx.da.0);
    }

    /// Gas of all transactions so far, where the scalar is known.
    pub(crate) fn gas(&self) -> Option<u64> {
        Some(self.da_bytes.saturating_mul(self.scalar?))
    }
}

fn scalar_of(tx: &RecoveredTx) -> Option<u64> {
    let OpTxEnvelope::Deposit(deposit) = &tx.envelope else {
        return None;
    };
    let (format, attributes) = L1Attributes::parse(&deposit.input).ok()?;
    (format == L1AttributesFormat::Jovian).then_some(attributes.da_footprint_gas_scalar.into())
}
