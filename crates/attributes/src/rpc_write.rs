//! Transactions as RPC-style objects, in the order and form of the living servers.

use alloy_consensus::{Signed, Transaction, TxLegacy};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, Signature, U64, U128, U256, keccak256};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use serde::Serialize;

/// A transaction of an event.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum TransactionJson<'a> {
    /// An object.
    Object(Box<ObjectJson>),
    /// The bytes, where they are of no type that has an object.
    Raw(&'a Bytes),
}

/// Fields that a type lacks are `null` where every type has them, and absent otherwise.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectJson {
    r#type: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<U64>,
    nonce: Option<U64>,
    to: Option<Address>,
    gas: U64,
    gas_price: Option<U128>,
    max_priority_fee_per_gas: Option<U128>,
    max_fee_per_gas: Option<U128>,
    value: U256,
    input: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_list: Option<AccessList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_list: Option<Vec<SignedAuthorization>>,
    v: Option<U256>,
    r: Option<U256>,
    s: Option<U256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y_parity: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_hash: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mint: Option<U256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_system_tx: Option<bool>,
    hash: B256,
}

/// The transaction with these bytes.
pub(crate) fn transaction(encoded: &Bytes) -> TransactionJson<'_> {
    let Ok(envelope) = OpTxEnvelope::decode_2718_exact(encoded) else {
        return TransactionJson::Raw(encoded);
    };
    // Whoever reads an object makes the bytes anew, and compares their hash.
    if envelope.encoded_2718() != *encoded {
        return TransactionJson::Raw(encoded);
    }
    let mut object = match &envelope {
        OpTxEnvelope::Legacy(tx) => legacy(tx),
        OpTxEnvelope::Eip2930(tx) => typed(tx.tx(), tx.signature()),
        OpTxEnvelope::Eip1559(tx) => typed(tx.tx(), tx.signature()),
        OpTxEnvelope::Eip7702(tx) => typed(tx.tx(), tx.signature()),
        OpTxEnvelope::Deposit(tx) => deposit(tx.inner()),
        OpTxEnvelope::PostExec(_) => return TransactionJson::Raw(encoded),
    };
    object.hash = keccak256(encoded);
    TransactionJson::Object(Box::new(object))
}

fn deposit(tx: &TxDeposit) -> ObjectJson {
    ObjectJson {
        r#type: U64::from(0x7e),
        to: tx.to.to().copied(),
        gas: U64::from(tx.gas_limit),
        value: tx.value,
        input: tx.input.clone(),
        source_hash: Some(tx.source_hash),
        from: Some(tx.from),
        mint: Some(U256::from(tx.mint)),
        is_system_tx: Some(tx.is_system_transaction),
        ..ObjectJson::default()
    }
}

fn legacy(tx: &Signed<TxLegacy>) -> ObjectJson {
    let parity = U256::from(tx.signature().v());
    // EIP-155, which the chain id of a legacy transaction shows in alone.
    let v = match tx.tx().chain_id {
        Some(chain_id) => U256::from(chain_id) * U256::from(2) + U256::from(35) + parity,
        None => U256::from(27) + parity,
    };
    ObjectJson {
        v: Some(v),
        ..common(tx.tx(), tx.signature())
    }
}

fn typed(tx: &impl Transaction, signature: &Signature) -> ObjectJson {
    ObjectJson {
        chain_id: tx.chain_id().map(U64::from),
        access_list: tx.access_list().cloned(),
        authorization_list: tx.authorization_list().map(<[_]>::to_vec),
        v: Some(U256::from(signature.v())),
        y_parity: Some(U64::from(signature.v())),
        ..common(tx, signature)
    }
}

fn common(tx: &impl Transaction, signature: &Signature) -> ObjectJson {
    let is_dynamic = tx.is_dynamic_fee();
    ObjectJson {
        r#type: U64::from(tx.ty()),
        nonce: Some(U64::from(tx.nonce())),
        to: tx.to(),
        gas: U64::from(tx.gas_limit()),
        gas_price: tx.gas_price().map(U128::from),
        max_priority_fee_per_gas: tx.max_priority_fee_per_gas().map(U128::from),
        max_fee_per_gas: is_dynamic.then(|| U128::from(tx.max_fee_per_gas())),
        value: tx.value(),
        input: tx.input().clone(),
        r: Some(signature.r()),
        s: Some(signature.s()),
        ..ObjectJson::default()
    }
}
