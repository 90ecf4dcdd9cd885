//! A container of dialect `spec` as JSON that any implementation can build it from: fields under
//! the names of the protocol text, `null` for an absent optional, integers of 64 bits and less as
//! numbers, larger ones as decimal strings, bytes as hex.

use blockwright_flashblocks::{
    AccountMetadata, ExecutionPayloadFlashblockDeltaV1, ExecutionPayloadStaticV1,
    FlashblocksPayloadV1, TransactionMetadata,
};
use serde_json::{Value, json};

pub(crate) fn flashblock(flashblock: &FlashblocksPayloadV1) -> Value {
    let metadata = &flashblock.metadata;
    json!({
        "version": flashblock.version,
        "payload_id": flashblock.payload_id,
        "parent_flash_hash": flashblock.parent_flash_hash.0,
        "index": flashblock.index,
        "static": flashblock.base.as_ref().map(base),
        "diff": diff(&flashblock.diff),
        "metadata": {
            "accounts": metadata.accounts.iter().map(account).collect::<Vec<_>>(),
            "transactions": metadata.transactions.iter().map(transaction).collect::<Vec<_>>(),
        },
    })
}

fn base(base: &ExecutionPayloadStaticV1) -> Value {
    json!({
        "parent_beacon_block_root": base.parent_beacon_block_root,
        "parent_hash": base.parent_hash,
        "fee_recipient": base.fee_recipient,
        "prev_randao": base.prev_randao,
        "block_number": base.block_number,
        "gas_limit": base.gas_limit,
        "timestamp": base.timestamp,
        "extra_data": base.extra_data.bytes(),
        "base_fee_per_gas": base.base_fee_per_gas.to_string(),
    })
}

fn diff(diff: &ExecutionPayloadFlashblockDeltaV1) -> Value {
    let transactions = diff.transactions.iter();
    let withdrawals = diff.withdrawals.iter();
    json!({
        "state_root": diff.state_root,
        "receipts_root": diff.receipts_root,
        "logs_bloom": diff.logs_bloom,
        "gas_used": diff.gas_used,
        "block_hash": diff.block_hash,
        "transactions": transactions.map(|tx| tx.bytes()).collect::<Vec<_>>(),
        "withdrawals": withdrawals.map(|withdrawal| json!({
            "index": withdrawal.index,
            "validator_index": withdrawal.validator_index,
            "address": withdrawal.address,
            "amount": withdrawal.amount,
        })).collect::<Vec<_>>(),
        "withdrawals_root": diff.withdrawals_root,
    })
}

fn account(account: &AccountMetadata) -> Value {
    let slots = account.storage_slots.iter();
    json!({
        "address": account.address,
        "balance": account.balance.map(|balance| balance.to_string()),
        "nonce": account.nonce,
        "code": account.code.as_ref().map(|code| code.bytes()),
        "storage_slots": slots
            .map(|slot| json!({ "key": slot.key, "value": slot.value }))
            .collect::<Vec<_>>(),
    })
}

fn transaction(transaction: &TransactionMetadata) -> Value {
    json!({
        "status": transaction.status,
        "gas_used": transaction.gas_used,
        "contract_address": transaction.contract_address.0,
    })
}
