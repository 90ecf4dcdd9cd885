//! The payment of one block.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use blockwright_seams::{Closing, ClosingView};
use blockwright_signer::{SignError, Signer};
use blockwright_types::{BlockContext, DaBytes, Gas, RecoveredTx, SharedTx, SkipReason, Usage};
use op_alloy_consensus::OpTxEnvelope;

use crate::{PaymentTerms, metrics};

/// Bytes of the longest payment: type, list header, chain id, nonce, two fees, gas limit, recipient,
/// value, no data, no access list, signature.
const SIZE_BYTES_MAX: u64 = 1 + 2 + 4 * 9 + 6 + 21 + 33 + 2 + 1 + 2 * 33;

/// Its size on the DA layer can be no larger than this estimate of incompressible bytes.
const DA_BYTES_MAX: u64 = SIZE_BYTES_MAX + SIZE_BYTES_MAX / 8;

/// The payment of one block.
pub(crate) struct Payment {
    terms: PaymentTerms,
    signer: Arc<dyn Signer>,
    recipient: Address,
    chain_id: u64,
    number: u64,
    amount: U256,
}

impl Payment {
    pub(crate) fn new(
        terms: PaymentTerms,
        signer: Arc<dyn Signer>,
        recipient: Address,
        context: &BlockContext,
    ) -> Self {
        Self {
            terms,
            signer,
            recipient,
            chain_id: context.chain_id,
            number: context.number,
            amount: U256::ZERO,
        }
    }

    fn signed(&self, tx: TxEip1559) -> Result<SharedTx, SignError> {
        let signature = self.signer.sign(tx.signature_hash())?;
        let signature = Signature::from_bytes_and_parity(&signature[..64], signature[64] == 1);
        let envelope = OpTxEnvelope::Eip1559(tx.into_signed(signature));
        let encoded = Bytes::from(envelope.encoded_2718());
        let sender = self.signer.address();
        Ok(Arc::new(RecoveredTx::new(envelope, encoded, sender)))
    }
}

impl Closing for Payment {
    fn sender(&self) -> Address {
        self.signer.address()
    }

    fn reserve(&self, da_footprint_gas_scalar: u64) -> Usage {
        Usage {
            gas: Gas(self.terms.gas_limit),
            da: DaBytes(DA_BYTES_MAX),
            da_footprint: Gas(DA_BYTES_MAX.saturating_mul(da_footprint_gas_scalar)),
            size_bytes: SIZE_BYTES_MAX,
        }
    }

    fn transaction(&mut self, view: &ClosingView) -> Option<SharedTx> {
        let share = U256::from(self.terms.share_percent);
        // Fees of a block have fewer than 128 bits.
        self.amount = view.value.saturating_mul(share) / U256::from(100);
        if self.amount.is_zero() {
            return None;
        }
        let tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce: view.sender.nonce,
            gas_limit: self.terms.gas_limit,
            max_fee_per_gas: view.base_fee.into(),
            // No tip: it is the last one in an order by tips.
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(self.recipient),
            value: self.amount,
            ..TxEip1559::default()
        };
        match self.signed(tx) {
            Ok(tx) => Some(tx),
            Err(error) => {
                metrics::outcome("unsigned");
                tracing::error!(
                    number = self.number, payer = %self.signer.address(), %error,
                    "the block ends without its payment: it cannot be signed"
                );
                None
            }
        }
    }

    fn done(&mut self, outcome: Result<(), &SkipReason>) {
        let (number, amount) = (self.number, self.amount);
        match outcome {
            Ok(()) => {
                metrics::outcome("paid");
                metrics::last(amount);
                tracing::debug!(number, %amount, recipient = %self.recipient, "block paid for");
            }
            Err(reason) => {
                metrics::outcome("refused");
                tracing::error!(
                    number, %amount, payer = %self.signer.address(), recipient = %self.recipient, %reason,
                    "the block ends without its payment"
                );
            }
        }
    }
}
