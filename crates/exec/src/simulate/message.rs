//! A simulated call as the transaction it would be.

use alloy_consensus::transaction::RlpEcdsaEncodableTx as _;
use alloy_consensus::{Signed, TxEip1559, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Signature, TxKind, U256, keccak256};
use alloy_rlp::{EMPTY_STRING_CODE, Header};
use blockwright_types::RecoveredTx;
use op_alloy_consensus::OpTxEnvelope;

use super::InvalidMessage;
use crate::call::CallRequest;

/// Number of zeros that stand for the signature of a legacy transaction.
const SIGNATURE_FIELDS: usize = 3;

/// The transaction without a signature: EIP-7702 where there are authorizations, legacy where there
/// is a plain price, else EIP-1559.
pub(super) fn transaction(
    call: &CallRequest,
    gas: u64,
    chain_id: u64,
) -> Result<RecoveredTx, InvalidMessage> {
    let nonce = call.nonce.unwrap_or_default();
    if call.gas_price.is_some() && call.priority_fee.is_none() {
        return Ok(legacy(call, nonce, gas));
    }
    let max_fee_per_gas = call.gas_price.unwrap_or_default();
    let max_priority_fee_per_gas = call.priority_fee.unwrap_or_default();
    let envelope: OpTxEnvelope = if call.authorization_list.is_empty() {
        let tx = TxEip1559 {
            chain_id,
            nonce,
            gas_limit: gas,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to: call.to,
            value: call.value,
            access_list: call.access_list.clone(),
            input: call.data.clone(),
        };
        Signed::new_unhashed(tx, no_signature()).into()
    } else {
        let TxKind::Call(to) = call.to else {
            return Err(InvalidMessage::AuthorizationsInCreation);
        };
        let tx = TxEip7702 {
            chain_id,
            nonce,
            gas_limit: gas,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value: call.value,
            access_list: call.access_list.clone(),
            authorization_list: call.authorization_list.clone(),
            input: call.data.clone(),
        };
        Signed::new_unhashed(tx, no_signature()).into()
    };
    let encoded = envelope.encoded_2718().into();
    Ok(RecoveredTx::new(envelope, encoded, call.from))
}

fn no_signature() -> Signature {
    Signature::new(U256::ZERO, U256::ZERO, false)
}

/// A signature's `v` of a legacy transaction is never zero, so an encoder of signed transactions
/// cannot write one that has no signature.
fn legacy(call: &CallRequest, nonce: u64, gas: u64) -> RecoveredTx {
    let tx = TxLegacy {
        chain_id: None,
        nonce,
        gas_price: call.gas_price.unwrap_or_default(),
        gas_limit: gas,
        to: call.to,
        value: call.value,
        input: call.data.clone(),
    };
    let header = Header {
        list: true,
        payload_length: tx.rlp_encoded_fields_length() + SIGNATURE_FIELDS,
    };
    let mut encoded = Vec::with_capacity(header.length_with_payload());
    header.encode(&mut encoded);
    tx.rlp_encode_fields(&mut encoded);
    encoded.extend([EMPTY_STRING_CODE; SIGNATURE_FIELDS]);
    let hash = keccak256(&encoded);
    let signed = Signed::new_unchecked(tx, no_signature(), hash);
    RecoveredTx::new(OpTxEnvelope::Legacy(signed), encoded.into(), call.from)
}
