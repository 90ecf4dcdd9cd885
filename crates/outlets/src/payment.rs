//! What is paid for blocks: the settings, and the account behind them.

use std::sync::{Arc, OnceLock};

use alloy_primitives::Address;
use blockwright_payment::{PaymentError, PaymentTerms, Payments, Recipient};
use blockwright_seams::MakeClosing;

use crate::key_source::KeyFlags;
use crate::{BuilderApiSettings, KeySource, OutletError};

/// What is paid for blocks; nothing without a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentSettings {
    /// Key of the account that pays.
    pub key: KeySource,
    /// Share of the priority fees, and gas of the payment.
    pub terms: PaymentTerms,
    /// Who is paid; `None` is the fee recipient that the expected proposer registered, and nobody while there
    /// is none.
    pub recipient: Option<Address>,
}

/// The fee recipient that is registered. The builder is started before registrations are open, and is told
/// then; until then there is none. Clones share everything.
#[derive(Clone, Default)]
pub struct Registered(Arc<OnceLock<Recipient>>);

impl Registered {
    /// From now on it is what `recipient` says.
    pub fn tell(&self, recipient: Recipient) {
        // There is one set of registrations in a node.
        let _ = self.0.set(recipient);
    }

    fn ask(&self) -> Option<Address> {
        self.0.get().and_then(|recipient| recipient())
    }
}

const KEY: KeyFlags = KeyFlags {
    file: "--builder.payment-key",
    password_file: "--builder.payment-key-password-file",
    hex: "--builder.payment-key-hex",
};
const SHARE: &str = "--builder.payment-share";
const GAS: &str = "--builder.payment-gas";
const RECIPIENT: &str = "--builder.payment-recipient";

impl PaymentSettings {
    /// What makes the payments; `None` where none are configured. Without a fixed recipient the one that is
    /// `registered` when a block is begun is paid.
    ///
    /// # Errors
    /// [`OutletError::Config`] naming the flag at fault.
    pub fn closing(
        &self,
        registered: &Registered,
        api: &BuilderApiSettings,
    ) -> Result<Option<MakeClosing>, OutletError> {
        let Some(signer) = self.key.signer(KEY)? else {
            if self.recipient.is_some() {
                let reason = format!("there is no {} to pay with", KEY.file);
                return Err(OutletError::flag(RECIPIENT, &reason));
            }
            return Ok(None);
        };
        if self.recipient.is_none() && !api.lists_proposers() {
            tracing::warn!(
                "without --builder.payment-recipient and --builder-api.proposer-bls blocks are paid to whoever registers"
            );
        }
        let recipient: Recipient = match self.recipient {
            Some(fixed) => Arc::new(move || Some(fixed)),
            None => {
                let registered = registered.clone();
                Arc::new(move || registered.ask())
            }
        };
        let payments = Payments::new(self.terms, Arc::new(signer), recipient)
            .map_err(|error| OutletError::flag(at_fault(error), &error))?;
        tracing::info!(
            payer = %payments.payer(), recipient = self.recipient.map(tracing::field::display),
            percent = self.terms.share_percent, "blocks are paid for"
        );
        Ok(Some(Arc::new(move |request| {
            payments.closing(&request.context)
        })))
    }
}

const fn at_fault(error: PaymentError) -> &'static str {
    match error {
        PaymentError::Share(_) => SHARE,
        PaymentError::GasLimit(_) => GAS,
    }
}
