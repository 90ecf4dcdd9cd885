//! RPC-style transaction objects, read into the bytes that they stand for.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, keccak256};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use serde_json::Value;

use crate::field::{self, Object};
use crate::{EventError, Problem};

const DEPOSIT: u64 = 0x7e;

/// The EIP-2718 bytes of the transaction `value`, which stands at `path`: an object, whose bytes are checked
/// against its `hash`, or the bytes themselves in hex, which are not looked at.
pub(crate) fn transaction(value: &Value, path: &str) -> Result<Bytes, EventError> {
    if value.is_string() {
        return field::bytes(value).map_err(|problem| problem.at(path));
    }
    let object = Object::new(value, path)?;
    let envelope = envelope(&object)?;
    let bytes = Bytes::from(envelope.encoded_2718());
    let hash = keccak256(&bytes);
    match object.maybe_hash("hash")? {
        Some(named) if named == hash => Ok(bytes),
        Some(_) => Err(Problem::OtherHash(hash).at(object.path("hash"))),
        None => Err(Problem::Missing.at(object.path("hash"))),
    }
}

fn envelope(object: &Object<'_>) -> Result<OpTxEnvelope, EventError> {
    match object.number("type")? {
        0 => legacy(object),
        1 => eip2930(object),
        2 => eip1559(object),
        4 => eip7702(object),
        DEPOSIT => deposit(object),
        other => Err(Problem::UnknownType(other).at(object.path("type"))),
    }
}

/// No `mint` and `"0x0"` have the same bytes; the hash says whether anything else was meant.
fn deposit(object: &Object<'_>) -> Result<OpTxEnvelope, EventError> {
    let deposit = TxDeposit {
        source_hash: object.fixed("sourceHash")?,
        from: Address(object.fixed("from")?),
        to: to(object)?,
        mint: object.maybe_wei("mint")?.unwrap_or_default(),
        value: object.big("value")?,
        gas_limit: object.number("gas")?,
        is_system_transaction: object.maybe_boolean("isSystemTx")?.unwrap_or_default(),
        input: object.bytes("input")?,
    };
    Ok(OpTxEnvelope::from(deposit))
}

fn legacy(object: &Object<'_>) -> Result<OpTxEnvelope, EventError> {
    let v = object.wei("v")?;
    let malformed = |reason: &str| Problem::Malformed(reason.to_owned()).at(object.path("v"));
    // EIP-155: {0, 1} + 35 + 2 × chain id; before it 27 or 28.
    let (chain_id, is_odd) = match v {
        27 | 28 => (None, v == 28),
        35.. => {
            let chain_id = u64::try_from((v - 35) / 2);
            let chain_id = chain_id.map_err(|_| malformed("its chain id has more than 64 bits"))?;
            (Some(chain_id), (v - 35) % 2 == 1)
        }
        _ => return Err(malformed("it is no v of a legacy signature")),
    };
    let tx = TxLegacy {
        chain_id,
        nonce: object.number("nonce")?,
        gas_price: object.wei("gasPrice")?,
        gas_limit: object.number("gas")?,
        to: to(object)?,
        value: object.big("value")?,
        input: object.bytes("input")?,
    };
    let signature = signature(object, is_odd)?;
    Ok(OpTxEnvelope::from(tx.into_signed(signature)))
}

fn eip2930(object: &Object<'_>) -> Result<OpTxEnvelope, EventError> {
    let tx = TxEip2930 {
        chain_id: object.number("chainId")?,
        nonce: object.number("nonce")?,
        gas_price: object.wei("gasPrice")?,
        gas_limit: object.number("gas")?,
        to: to(object)?,
        value: object.big("value")?,
        access_list: object.maybe_parsed("accessList")?.unwrap_or_default(),
        input: object.bytes("input")?,
    };
    let signature = signature(object, parity(object)?)?;
    Ok(OpTxEnvelope::from(tx.into_signed(signature)))
}

fn eip1559(object: &Object<'_>) -> Result<OpTxEnvelope, EventError> {
    let tx = TxEip1559 {
        chain_id: object.number("chainId")?,
        nonce: object.number("nonce")?,
        gas_limit: object.number("gas")?,
        max_fee_per_gas: object.wei("maxFeePerGas")?,
        max_priority_fee_per_gas: object.wei("maxPriorityFeePerGas")?,
        to: to(object)?,
        value: object.big("value")?,
        access_list: object.maybe_parsed("accessList")?.unwrap_or_default(),
        input: object.bytes("input")?,
    };
    let signature = signature(object, parity(object)?)?;
    Ok(OpTxEnvelope::from(tx.into_signed(signature)))
}

fn eip7702(object: &Object<'_>) -> Result<OpTxEnvelope, EventError> {
    let tx = TxEip7702 {
        chain_id: object.number("chainId")?,
        nonce: object.number("nonce")?,
        gas_limit: object.number("gas")?,
        max_fee_per_gas: object.wei("maxFeePerGas")?,
        max_priority_fee_per_gas: object.wei("maxPriorityFeePerGas")?,
        to: Address(object.fixed("to")?),
        value: object.big("value")?,
        access_list: object.maybe_parsed("accessList")?.unwrap_or_default(),
        authorization_list: object
            .maybe_parsed("authorizationList")?
            .unwrap_or_default(),
        input: object.bytes("input")?,
    };
    let signature = signature(object, parity(object)?)?;
    Ok(OpTxEnvelope::from(tx.into_signed(signature)))
}

/// Nobody, where a contract is created.
fn to(object: &Object<'_>) -> Result<TxKind, EventError> {
    let to = object.maybe_fixed("to")?;
    Ok(to.map_or(TxKind::Create, |to| TxKind::Call(Address(to))))
}

/// `v` of a typed transaction is its parity, too.
fn parity(object: &Object<'_>) -> Result<bool, EventError> {
    let name = if object.get("yParity").is_some() {
        "yParity"
    } else {
        "v"
    };
    match object.number(name)? {
        0 => Ok(false),
        1 => Ok(true),
        other => {
            let reason = format!("{other} is neither 0 nor 1");
            Err(Problem::Malformed(reason).at(object.path(name)))
        }
    }
}

fn signature(object: &Object<'_>, is_odd: bool) -> Result<Signature, EventError> {
    let [r, s]: [U256; 2] = [object.big("r")?, object.big("s")?];
    Ok(Signature::new(r, s, is_odd))
}
