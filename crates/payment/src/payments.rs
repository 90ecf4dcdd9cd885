//! An account that pays for blocks, and the terms it does so on.

use std::sync::Arc;

use alloy_primitives::Address;
use blockwright_seams::Closing;
use blockwright_signer::Signer;
use blockwright_types::BlockContext;

use crate::metrics;
use crate::payment::Payment;

/// Gas of a transfer to an account without code.
const TRANSFER_GAS: u64 = 21_000;

/// Tells who is to be paid: asked as each block is begun.
pub type Recipient = Arc<dyn Fn() -> Option<Address> + Send + Sync>;

/// What is paid, and at what cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentTerms {
    /// Share of the block's priority fees, in percent, 0 to 100. Zero pays nothing.
    pub share_percent: u8,
    /// Gas limit of the payment, at least 21,000; a recipient with code may need more than that.
    pub gas_limit: u64,
}

impl Default for PaymentTerms {
    fn default() -> Self {
        Self {
            share_percent: 100,
            gas_limit: 50_000,
        }
    }
}

/// Terms that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// More than everything.
    #[error("a share of {0} percent: 100 is all there is")]
    Share(u8),
    /// A transfer could not run.
    #[error("a gas limit of {0}: a transfer takes 21000")]
    GasLimit(u64),
}

/// Pays for blocks from one account. Clones share everything.
#[derive(Clone)]
pub struct Payments {
    terms: PaymentTerms,
    signer: Arc<dyn Signer>,
    recipient: Recipient,
}

impl Payments {
    /// Payments by `signer`'s account.
    ///
    /// # Errors
    /// [`PaymentError`] naming the term that cannot be kept.
    pub fn new(
        terms: PaymentTerms,
        signer: Arc<dyn Signer>,
        recipient: Recipient,
    ) -> Result<Self, PaymentError> {
        if terms.share_percent > 100 {
            return Err(PaymentError::Share(terms.share_percent));
        }
        if terms.gas_limit < TRANSFER_GAS {
            return Err(PaymentError::GasLimit(terms.gas_limit));
        }
        metrics::describe();
        Ok(Self {
            terms,
            signer,
            recipient,
        })
    }

    /// The account that pays.
    pub fn payer(&self) -> Address {
        self.signer.address()
    }

    /// The payment for the block that `context` describes; `None` where there is nobody to pay.
    pub fn closing(&self, context: &BlockContext) -> Option<Box<dyn Closing>> {
        if self.terms.share_percent == 0 {
            return None;
        }
        let recipient = (self.recipient)()?;
        Some(Box::new(Payment::new(
            self.terms,
            Arc::clone(&self.signer),
            recipient,
            context,
        )))
    }
}

impl core::fmt::Debug for Payments {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Payments")
            .field("terms", &self.terms)
            .field("payer", &self.payer())
            .finish_non_exhaustive()
    }
}
