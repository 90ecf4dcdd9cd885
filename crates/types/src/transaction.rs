//! A transaction with everything that is worth computing exactly once.

use std::sync::Arc;

use alloy_consensus::Transaction;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes};
use op_alloy_consensus::OpTxEnvelope;

use crate::{DaBytes, Gas};

/// A decoded transaction with its sender, its wire bytes and its data-availability estimate.
///
/// Made once, at the border (pool intake, attributes, block import); nothing behind the border
/// decodes, recovers or re-encodes again.
#[derive(Debug)]
pub struct RecoveredTx {
    /// The decoded transaction.
    pub envelope: OpTxEnvelope,
    /// Its EIP-2718 bytes, as received.
    pub encoded: Bytes,
    /// Transaction hash.
    pub hash: B256,
    /// Recovered signer; the `from` field of a deposit.
    pub sender: Address,
    /// FastLZ estimate of the compressed size (Fjord, `max(100, …)` bytes); zero for deposits.
    pub da: DaBytes,
    /// The same estimate in millionths of a byte, by which Fjord's L1 data fee is charged.
    pub da_millionths: u64,
}

/// A [`RecoveredTx`] shared between pool, builder, block and stream.
pub type SharedTx = Arc<RecoveredTx>;

impl RecoveredTx {
    /// Wraps a transaction whose sender is known.
    pub fn new(envelope: OpTxEnvelope, encoded: Bytes, sender: Address) -> Self {
        let hash = envelope.tx_hash();
        let da_millionths = if matches!(envelope, OpTxEnvelope::Deposit(_)) {
            0
        } else {
            op_alloy_flz::tx_estimated_size_fjord(&encoded)
        };
        Self {
            envelope,
            encoded,
            hash,
            sender,
            da: DaBytes(da_millionths / 1_000_000),
            da_millionths,
        }
    }

    /// Whether this is a deposit (type 0x7e).
    pub const fn is_deposit(&self) -> bool {
        matches!(self.envelope, OpTxEnvelope::Deposit(_))
    }

    /// The transaction's gas limit.
    pub fn gas_limit(&self) -> Gas {
        Gas(self.envelope.gas_limit())
    }

    /// The transaction's nonce (zero for deposits).
    pub fn nonce(&self) -> u64 {
        self.envelope.nonce()
    }

    /// What the block's fee recipient earns per gas at `base_fee` (wei), or `None` where the fee cap
    /// is below the base fee.
    pub fn effective_tip(&self, base_fee: u64) -> Option<u128> {
        self.envelope.effective_tip_per_gas(base_fee)
    }

    /// Wire size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.encoded.len() as u64
    }
}

/// Why transaction bytes were refused.
#[derive(Debug, thiserror::Error)]
pub enum TxDecodeError {
    /// Not a well-formed EIP-2718 transaction of a type the OP Stack knows.
    #[error("transaction bytes cannot be decoded: {0}")]
    Decode(#[from] alloy_eips::eip2718::Eip2718Error),
    /// The signature recovers to no address.
    #[error("transaction signature is invalid")]
    Signature,
}

/// Decodes EIP-2718 bytes and recovers the sender (33 µs of elliptic-curve work for all but
/// deposits; batch it on a worker pool where many arrive).
pub fn decode_recovered(encoded: Bytes) -> Result<RecoveredTx, TxDecodeError> {
    let envelope = OpTxEnvelope::decode_2718_exact(encoded.as_ref())?;
    let sender = match &envelope {
        OpTxEnvelope::Deposit(deposit) => deposit.from,
        signed => signed
            .recover_signer()
            .map_err(|_| TxDecodeError::Signature)?,
    };
    Ok(RecoveredTx::new(envelope, encoded, sender))
}
