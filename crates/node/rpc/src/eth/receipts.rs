//! Receipts with the OP Stack's fields.

use alloy_consensus::{ReceiptWithBloom, Transaction, TxReceipt};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_eth::{Log, TransactionReceipt};
use blockwright_chain::{ChainSpec, L1Attributes, L1AttributesFormat};
use blockwright_exec::{RollupFees, RollupParameters, RollupReceiptFields};
use blockwright_types::{RecoveredTx, SealedBlock};
use op_alloy_consensus::OpReceipt;
use op_alloy_rpc_types::{L1BlockInfo, OpTransactionReceipt};

use crate::EthApi;
use crate::overlay::Shown;

impl EthApi {
    /// `eth_getTransactionReceipt`, also of a preconfirmed transaction.
    pub(crate) fn receipt_by_hash(&self, hash: B256) -> Option<OpTransactionReceipt> {
        let (shown, index) = self.transaction_place(hash)?;
        self.receipt_at(&shown, index)
    }

    /// The receipt of a block's transaction.
    pub(crate) fn receipt_at(&self, shown: &Shown, index: usize) -> Option<OpTransactionReceipt> {
        let fees = rollup_fees(&self.deps.chain, shown.block());
        ReceiptWalk::new(shown, fees.as_ref()).nth(index)
    }

    /// `eth_getBlockReceipts`.
    pub(crate) fn block_receipts(&self, id: BlockId) -> Option<Vec<OpTransactionReceipt>> {
        let shown = self.shown(id)?;
        let fees = rollup_fees(&self.deps.chain, shown.block());
        Some(ReceiptWalk::new(&shown, fees.as_ref()).collect())
    }
}

/// The fees in force in a block, as its own L1 attributes say; `None` where it has none.
fn rollup_fees(chain: &ChainSpec, block: &SealedBlock) -> Option<RollupFees> {
    let first = block.transactions().next().filter(|tx| tx.is_deposit())?;
    let (format, attributes) = L1Attributes::parse(first.envelope.input()).ok()?;
    let parameters = parameters(format, &attributes);
    Some(RollupFees::new(
        chain.fork_at(block.header.timestamp),
        &parameters,
    ))
}

fn parameters(format: L1AttributesFormat, attributes: &L1Attributes) -> RollupParameters {
    let packed = format != L1AttributesFormat::Bedrock;
    RollupParameters {
        l1_base_fee: attributes.base_fee,
        l1_fee_overhead: attributes.l1_fee_overhead,
        l1_fee_scalar: attributes.l1_fee_scalar,
        l1_blob_base_fee: packed.then_some(attributes.blob_base_fee),
        l1_base_fee_scalar: attributes.base_fee_scalar,
        l1_blob_base_fee_scalar: attributes.blob_base_fee_scalar,
        operator_fee_scalar: attributes.operator_fee_scalar,
        operator_fee_constant: attributes.operator_fee_constant,
        da_footprint_gas_scalar: attributes.da_footprint_gas_scalar,
    }
}

/// Walks through a block's receipts, counting gas and logs on the way.
struct ReceiptWalk<'a, I> {
    block: &'a SealedBlock,
    block_hash: B256,
    fees: Option<&'a RollupFees>,
    items: I,
    index: u64,
    gas_before: u64,
    logs_before: u64,
}

impl<'a> ReceiptWalk<'a, ()> {
    #[allow(clippy::new_ret_no_self)]
    fn new(
        shown: &'a Shown,
        fees: Option<&'a RollupFees>,
    ) -> ReceiptWalk<'a, impl Iterator<Item = (&'a RecoveredTx, &'a OpReceipt)>> {
        let block = shown.block();
        ReceiptWalk {
            block_hash: shown.receipt_hash(),
            items: block
                .transactions()
                .map(AsRef::as_ref)
                .zip(block.receipts()),
            block,
            fees,
            index: 0,
            gas_before: 0,
            logs_before: 0,
        }
    }
}

impl<'a, I: Iterator<Item = (&'a RecoveredTx, &'a OpReceipt)>> Iterator for ReceiptWalk<'a, I> {
    type Item = OpTransactionReceipt;

    fn next(&mut self) -> Option<OpTransactionReceipt> {
        let (tx, receipt) = self.items.next()?;
        let fields = self.fees.and_then(|fees| fees.receipt_fields(tx));
        let view = self.view(tx, receipt, fields.as_ref());
        self.pass(receipt);
        Some(view)
    }

    /// Of those before it, only gas and logs are looked at.
    fn nth(&mut self, count: usize) -> Option<OpTransactionReceipt> {
        for _ in 0..count {
            let (_, receipt) = self.items.next()?;
            self.pass(receipt);
        }
        self.next()
    }
}

impl<I> ReceiptWalk<'_, I> {
    fn pass(&mut self, receipt: &OpReceipt) {
        self.index += 1;
        self.gas_before = receipt.cumulative_gas_used();
        self.logs_before += receipt.logs().len() as u64;
    }

    fn view(
        &self,
        tx: &RecoveredTx,
        receipt: &OpReceipt,
        fields: Option<&RollupReceiptFields>,
    ) -> OpTransactionReceipt {
        let header = &self.block.header;
        OpTransactionReceipt {
            inner: TransactionReceipt {
                inner: ReceiptWithBloom {
                    logs_bloom: receipt.bloom(),
                    receipt: self.with_places(tx, receipt),
                },
                transaction_hash: tx.hash,
                transaction_index: Some(self.index),
                block_hash: Some(self.block_hash),
                block_number: Some(header.number),
                gas_used: receipt
                    .cumulative_gas_used()
                    .saturating_sub(self.gas_before),
                effective_gas_price: effective_gas_price(tx, header.base_fee_per_gas),
                blob_gas_used: fields.and_then(|fields| fields.da_footprint),
                blob_gas_price: None,
                from: tx.sender,
                to: tx.envelope.to(),
                contract_address: created(tx, receipt),
            },
            l1_block_info: fields.map(l1_block_info).unwrap_or_default(),
            op_gas_refund: None,
        }
    }

    /// The receipt with its logs' places in the block.
    fn with_places(&self, tx: &RecoveredTx, receipt: &OpReceipt) -> OpReceipt<Log> {
        let mut log_index = self.logs_before;
        receipt.clone().map_logs(|log| {
            let placed = Log {
                inner: log,
                block_hash: Some(self.block_hash),
                block_number: Some(self.block.header.number),
                block_timestamp: Some(self.block.header.timestamp),
                transaction_hash: Some(tx.hash),
                transaction_index: Some(self.index),
                log_index: Some(log_index),
                removed: false,
            };
            log_index += 1;
            placed
        })
    }
}

fn effective_gas_price(tx: &RecoveredTx, base_fee: Option<u64>) -> u128 {
    if tx.is_deposit() {
        return 0;
    }
    tx.envelope.effective_gas_price(base_fee)
}

/// The created contract's address. A deposit creates by the nonce its sender had when it ran.
fn created(tx: &RecoveredTx, receipt: &OpReceipt) -> Option<Address> {
    if !tx.envelope.is_create() {
        return None;
    }
    let nonce = match receipt {
        OpReceipt::Deposit(deposit) => deposit.deposit_nonce.unwrap_or_default(),
        _ => tx.nonce(),
    };
    Some(tx.sender.create(nonce))
}

fn l1_block_info(fields: &RollupReceiptFields) -> L1BlockInfo {
    let wei = |value: U256| u128::try_from(value).ok();
    L1BlockInfo {
        l1_gas_price: wei(fields.l1_gas_price),
        l1_gas_used: wei(fields.l1_gas_used),
        l1_fee: wei(fields.l1_fee),
        // Shown as a decimal fraction; consensus counts in millionths.
        l1_fee_scalar: fields
            .l1_fee_scalar
            .and_then(|scalar| u64::try_from(scalar).ok())
            .map(|millionths| millionths as f64 / 1e6),
        l1_base_fee_scalar: fields.l1_base_fee_scalar.map(u128::from),
        l1_blob_base_fee: fields.l1_blob_base_fee.and_then(wei),
        l1_blob_base_fee_scalar: fields.l1_blob_base_fee_scalar.map(u128::from),
        operator_fee_scalar: fields.operator_fee_scalar.map(u128::from),
        operator_fee_constant: fields.operator_fee_constant.map(u128::from),
        da_footprint_gas_scalar: fields
            .da_footprint_gas_scalar
            .and_then(|scalar| u16::try_from(scalar).ok()),
    }
}
