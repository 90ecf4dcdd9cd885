//! A scripted block of three flashblocks and the opening of a pre-Ecotone one.

use std::sync::Arc;

use alloy_consensus::{
    Eip658Value, Receipt, Sealable, Signed, TxEip1559, TxEip2930, TxEip7702, TxLegacy,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, LogData, Signature, U256};
use blockwright_types::{
    AccountChange, AccountPost, BlockPart, Changes, DaBytes, Flashblock, FlashblockBase, PayloadId,
    RecoveredTx, SharedTx,
};
use op_alloy_consensus::{OpDepositReceipt, OpReceipt, OpTxEnvelope, TxDeposit};

pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) flashblock: Arc<Flashblock>,
}

pub(crate) fn steps() -> Vec<Step> {
    let block = PayloadId::new([0x03, 1, 2, 3, 4, 5, 6, 7]);
    let step = |name, flashblock| Step {
        name,
        flashblock: Arc::new(flashblock),
    };
    vec![
        step("0_opening", opening(block)),
        step("1_every_type", every_type(block)),
        step(
            "2_empty",
            Flashblock {
                index: 2,
                part: Arc::default(),
                ..every_type(block)
            },
        ),
        step("3_before_ecotone", before_ecotone()),
    ]
}

/// The frame shown in the protocol text.
pub(crate) fn documented_example() -> Flashblock {
    let tx = shared(deposit(), Some(Bytes::from_static(&[0x7e, 1, 2, 3])));
    Flashblock {
        gas_used: 0xc350,
        logs_bloom: Bloom::ZERO,
        part: Arc::new(BlockPart::new(
            vec![tx],
            vec![deposit_receipt(0xc350, Some(7), Some(1))],
            vec![Arc::new(changes(&[(0x11, Some(10_000_000_000))]))],
        )),
        ..opening(PayloadId::new([0x0a; 8]))
    }
}

fn opening(payload_id: PayloadId) -> Flashblock {
    Flashblock {
        payload_id,
        index: 0,
        base: Some(FlashblockBase {
            parent_beacon_block_root: B256::repeat_byte(0x01),
            parent_hash: B256::repeat_byte(0x02),
            fee_recipient: Address::repeat_byte(0x42),
            prev_randao: B256::repeat_byte(0x03),
            block_number: 100,
            gas_limit: 30_000_000,
            timestamp: 0x686d_6600,
            extra_data: Bytes::from_static(&[0, 1, 2]),
            base_fee_per_gas: U256::from(1_000_000_000u64),
        }),
        block_number: 100,
        state_root: B256::repeat_byte(0x04),
        receipts_root: B256::repeat_byte(0x05),
        logs_bloom: Bloom::ZERO,
        gas_used: 46_000,
        block_hash: B256::repeat_byte(0x06),
        withdrawals_root: B256::repeat_byte(0x07),
        blob_gas_used: Some(0),
        part: Arc::new(BlockPart::new(
            vec![shared(deposit(), None)],
            vec![deposit_receipt(46_000, Some(7), Some(1))],
            vec![
                Arc::new(changes(&[(0xde, Some(0)), (0x42, Some(5))])),
                Arc::new(changes(&[(0x42, Some(6)), (0x10, Some(u128::MAX))])),
            ],
        )),
    }
}

fn every_type(payload_id: PayloadId) -> Flashblock {
    let envelopes: [OpTxEnvelope; 4] = [
        sign(TxLegacy {
            chain_id: Some(901),
            nonce: 1,
            gas_limit: 21_000,
            ..Default::default()
        }),
        sign(TxEip2930 {
            chain_id: 901,
            nonce: 2,
            gas_limit: 30_000,
            ..Default::default()
        }),
        sign(TxEip1559 {
            chain_id: 901,
            nonce: 3,
            gas_limit: 40_000,
            max_fee_per_gas: 9,
            ..Default::default()
        }),
        sign(TxEip7702 {
            chain_id: 901,
            nonce: 4,
            gas_limit: 50_000,
            ..Default::default()
        }),
    ];
    let log = Log {
        address: Address::repeat_byte(0xc0),
        data: LogData::new_unchecked(
            vec![B256::repeat_byte(0xdd), B256::with_last_byte(1)],
            Bytes::from_static(&[0, 0xff]),
        ),
    };
    let bare = Log {
        address: Address::repeat_byte(0xc1),
        data: LogData::new_unchecked(Vec::new(), Bytes::new()),
    };
    let receipts = vec![
        OpReceipt::Legacy(receipt(true, 67_000, Vec::new())),
        OpReceipt::Eip2930(receipt(false, 97_000, Vec::new())),
        OpReceipt::Eip1559(receipt(true, 137_000, vec![log, bare])),
        OpReceipt::Eip7702(receipt(true, 187_000, Vec::new())),
    ];
    let mut bloom = Bloom::ZERO;
    receipts[2]
        .as_receipt()
        .logs
        .iter()
        .for_each(|log| bloom.accrue_log(log));
    Flashblock {
        index: 1,
        base: None,
        state_root: B256::repeat_byte(0x14),
        receipts_root: B256::repeat_byte(0x15),
        logs_bloom: bloom,
        gas_used: 187_000,
        block_hash: B256::repeat_byte(0x16),
        blob_gas_used: Some(0x9c40),
        part: Arc::new(BlockPart::new(
            envelopes.into_iter().map(|tx| shared(tx, None)).collect(),
            receipts,
            vec![Arc::new(changes(&[
                (0x99, Some(1)),
                (0x0b, None),
                (0x10, Some(77)),
            ]))],
        )),
        ..opening(payload_id)
    }
}

fn before_ecotone() -> Flashblock {
    let mut opening = opening(PayloadId::new([0xff; 8]));
    if let Some(base) = &mut opening.base {
        base.parent_beacon_block_root = B256::ZERO;
        base.extra_data = Bytes::new();
        base.base_fee_per_gas = U256::ZERO;
    }
    Flashblock {
        withdrawals_root: B256::ZERO,
        blob_gas_used: None,
        part: Arc::new(BlockPart::new(
            vec![shared(deposit(), None)],
            vec![deposit_receipt(46_000, None, None)],
            vec![Arc::new(changes(&[(0xde, Some(9))]))],
        )),
        ..opening
    }
}

pub(crate) fn sign<T>(tx: T) -> OpTxEnvelope
where
    T: alloy_consensus::transaction::RlpEcdsaEncodableTx
        + alloy_consensus::SignableTransaction<Signature>,
    OpTxEnvelope: From<Signed<T>>,
{
    let signature = Signature::new(U256::from(0x1234), U256::from(0x5678), true);
    tx.into_signed(signature).into()
}

pub(crate) fn deposit() -> OpTxEnvelope {
    OpTxEnvelope::Deposit(
        TxDeposit {
            source_hash: B256::repeat_byte(0x21),
            from: Address::repeat_byte(0xde),
            gas_limit: 1_000_000,
            ..Default::default()
        }
        .seal_slow(),
    )
}

pub(crate) fn shared(envelope: OpTxEnvelope, encoded: Option<Bytes>) -> SharedTx {
    Arc::new(RecoveredTx {
        encoded: encoded.unwrap_or_else(|| envelope.encoded_2718().into()),
        hash: envelope.tx_hash(),
        sender: Address::repeat_byte(0xde),
        da: DaBytes::ZERO,
        da_millionths: 0,
        envelope,
    })
}

pub(crate) fn receipt(success: bool, cumulative_gas_used: u64, logs: Vec<Log>) -> Receipt {
    Receipt {
        status: Eip658Value::Eip658(success),
        cumulative_gas_used,
        logs,
    }
}

pub(crate) fn deposit_receipt(gas: u64, nonce: Option<u64>, version: Option<u64>) -> OpReceipt {
    OpReceipt::Deposit(OpDepositReceipt {
        inner: receipt(true, gas, Vec::new()),
        deposit_nonce: nonce,
        deposit_receipt_version: version,
    })
}

/// Accounts by repeated byte with their balance after the change; `None` is gone.
fn changes(balances: &[(u8, Option<u128>)]) -> Changes {
    let mut changes = Changes::default();
    for (byte, balance) in balances {
        changes.accounts.insert(
            Address::repeat_byte(*byte),
            AccountChange {
                post: balance.map(|balance| AccountPost {
                    balance: U256::from(balance),
                    nonce: 1,
                    code_hash: alloy_primitives::KECCAK256_EMPTY,
                }),
                storage_wiped: balance.is_none(),
                storage: Default::default(),
            },
        );
    }
    changes
}
