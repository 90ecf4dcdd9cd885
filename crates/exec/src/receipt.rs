//! Receipts.

use alloy_consensus::{Eip658Value, Eip2718EncodableReceipt as _, Receipt};
use alloy_primitives::{Bloom, Bytes};
use blockwright_types::RecoveredTx;
use op_alloy_consensus::{OpDepositReceipt, OpReceipt, OpTxEnvelope};
use op_revm::OpHaltReason;
use revm::context_interface::result::ExecutionResult;

/// What only a deposit's receipt carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DepositFields {
    /// The sender's nonce before it ran; from Regolith.
    pub(crate) nonce: Option<u64>,
    /// 1 from Canyon.
    pub(crate) version: Option<u64>,
}

/// The receipt of a transaction.
pub(crate) fn receipt(
    tx: &RecoveredTx,
    result: ExecutionResult<OpHaltReason>,
    cumulative_gas_used: u64,
    deposit: DepositFields,
) -> OpReceipt {
    let success = result.is_success();
    let inner = Receipt {
        status: Eip658Value::Eip658(success),
        cumulative_gas_used,
        // Logs of a failed execution are reverted with it.
        logs: if success {
            result.into_logs()
        } else {
            Vec::new()
        },
    };
    match tx.envelope {
        OpTxEnvelope::Legacy(_) => OpReceipt::Legacy(inner),
        OpTxEnvelope::Eip2930(_) => OpReceipt::Eip2930(inner),
        OpTxEnvelope::Eip1559(_) => OpReceipt::Eip1559(inner),
        OpTxEnvelope::Eip7702(_) => OpReceipt::Eip7702(inner),
        OpTxEnvelope::PostExec(_) => OpReceipt::PostExec(inner),
        OpTxEnvelope::Deposit(_) => OpReceipt::Deposit(OpDepositReceipt {
            inner,
            deposit_nonce: deposit.nonce,
            deposit_receipt_version: deposit.version,
        }),
    }
}

/// The bytes of a receipt in the receipts trie.
///
/// Between Regolith and Canyon a deposit's receipt has a nonce, but the trie does not know it; the
/// receipt version of Canyon says that it does.
pub(crate) fn encode_for_root(receipt: &OpReceipt, bloom: &Bloom) -> Bytes {
    let mut encoded = Vec::with_capacity(receipt.eip2718_encoded_length_with_bloom(bloom));
    match receipt {
        OpReceipt::Deposit(deposit)
            if deposit.deposit_receipt_version.is_none() && deposit.deposit_nonce.is_some() =>
        {
            let mut bare = deposit.clone();
            bare.deposit_nonce = None;
            OpReceipt::Deposit(bare).eip2718_encode_with_bloom(bloom, &mut encoded);
        }
        receipt => receipt.eip2718_encode_with_bloom(bloom, &mut encoded),
    }
    encoded.into()
}
