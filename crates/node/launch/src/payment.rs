//! What is paid for blocks: the settings, and the account behind them.

use std::sync::Arc;

use alloy_primitives::Address;
use blockwright_engine::MakeClosing;
use blockwright_payment::{PaymentError, PaymentTerms, Payments, Recipient};

use crate::flag::flag;
use crate::key_source::KeyFlags;
use crate::{KeySource, LaunchError};

/// What is paid for blocks; nothing without a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentSettings {
    /// Key of the account that pays.
    pub key: KeySource,
    /// Share of the priority fees, and gas of the payment.
    pub terms: PaymentTerms,
    /// Who is paid.
    pub recipient: Option<Address>,
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
    /// What makes the payments; `None` where none are configured.
    ///
    /// # Errors
    /// [`LaunchError::Config`] naming the flag at fault.
    pub(crate) fn closing(&self) -> Result<Option<MakeClosing>, LaunchError> {
        let Some(signer) = self.key.signer(KEY)? else {
            if self.recipient.is_some() {
                let reason = format!("there is no {} to pay with", KEY.file);
                return Err(flag(RECIPIENT, &reason));
            }
            return Ok(None);
        };
        let Some(fixed) = self.recipient else {
            return Err(flag(
                KEY.file,
                &format!("there is no {RECIPIENT} to be paid"),
            ));
        };
        let recipient: Recipient = Arc::new(move || Some(fixed));
        let payments = Payments::new(self.terms, Arc::new(signer), recipient)
            .map_err(|error| flag(at_fault(error), &error))?;
        tracing::info!(
            payer = %payments.payer(), recipient = %fixed, percent = self.terms.share_percent,
            "blocks are paid for"
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
