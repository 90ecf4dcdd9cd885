//! The flags of payments for blocks.

use std::path::PathBuf;

use alloy_primitives::Address;
use blockwright_outlets::{KeySource, PaymentSettings, PaymentTerms, SecretText};
use clap::Args;

use crate::secret;

/// What is paid for blocks.
#[derive(Debug, Args)]
#[group(id = "blockwright.payment")]
#[command(next_help_heading = "Payment for blocks")]
pub struct PaymentArgs {
    /// File with the key of the account that pays for blocks: a Web3 keystore, or for development 32 bytes
    /// in hex; mode 0600 or less (default: nothing is paid).
    #[arg(
        id = "builder.payment-key",
        long = "builder.payment-key",
        env = "BLOCKWRIGHT_BUILDER_PAYMENT_KEY",
        value_name = "FILE"
    )]
    payment_key: Option<PathBuf>,
    /// File with the password of the keystore, mode 0600 or less (default: asked for at the terminal).
    #[arg(
        id = "builder.payment-key-password-file",
        long = "builder.payment-key-password-file",
        env = "BLOCKWRIGHT_BUILDER_PAYMENT_KEY_PASSWORD_FILE",
        value_name = "FILE"
    )]
    payment_key_password_file: Option<PathBuf>,
    /// The key itself, for development alone: prefer the file.
    #[arg(id = "builder.payment-key-hex", long = "builder.payment-key-hex", env = "BLOCKWRIGHT_BUILDER_PAYMENT_KEY_HEX",
          hide_env_values = true, value_name = "HEX", value_parser = secret)]
    payment_key_hex: Option<SecretText>,
    /// Address that is paid for blocks (default: the fee recipient that the expected proposer registered by the
    /// `builder_` namespace; nothing is paid while there is none).
    #[arg(
        id = "builder.payment-recipient",
        long = "builder.payment-recipient",
        env = "BLOCKWRIGHT_BUILDER_PAYMENT_RECIPIENT",
        value_name = "ADDRESS"
    )]
    payment_recipient: Option<Address>,
    /// Share of a block's priority fees that is paid for it, in percent.
    #[arg(id = "builder.payment-share", long = "builder.payment-share", env = "BLOCKWRIGHT_BUILDER_PAYMENT_SHARE",
          default_value_t = PaymentTerms::default().share_percent, value_name = "PERCENT")]
    payment_share: u8,
    /// Gas limit of the payment, kept free in every block; a recipient with code may need more than 21000.
    #[arg(id = "builder.payment-gas", long = "builder.payment-gas", env = "BLOCKWRIGHT_BUILDER_PAYMENT_GAS",
          default_value_t = PaymentTerms::default().gas_limit, value_name = "GAS")]
    payment_gas: u64,
}

impl PaymentArgs {
    /// The settings of payments.
    pub fn settings(self) -> PaymentSettings {
        PaymentSettings {
            key: KeySource {
                file: self.payment_key,
                password_file: self.payment_key_password_file,
                hex: self.payment_key_hex,
            },
            terms: PaymentTerms {
                share_percent: self.payment_share,
                gas_limit: self.payment_gas,
            },
            recipient: self.payment_recipient,
        }
    }
}
