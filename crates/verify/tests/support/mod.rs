//! Streams of real, signed transactions with headers that are assembled here by hand.
#![allow(dead_code)]

use std::sync::Arc;

use alloy_consensus::{
    Eip658Value, Header, Receipt, SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy,
    TxReceipt,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, LogData, TxKind, U256, b256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use alloy_trie::root::ordered_trie_root_encoded;
use blockwright_chain::dev::{default_l1_attributes, l1_info_deposit};
use blockwright_chain::{FeeParams, encode_extra_data};
use blockwright_flashblocks::{
    OpFlashblockPayload, OpFlashblockPayloadBase, OpFlashblockPayloadDelta,
    OpFlashblockPayloadMetadata,
};
use blockwright_types::{OpFork, PayloadId, RecoveredTx, decode_recovered};
use blockwright_verify::{Report, Verifier, VerifierRules};
use op_alloy_consensus::{OpDepositReceipt, OpReceipt, OpTxEnvelope, TxDeposit};

pub const BASE_FEE: u64 = 1_000;
const EMPTY_TRIE: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
const NO_REQUESTS: B256 = b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
const NO_OMMERS: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");

/// A stream with the header that each of its flashblocks states.
pub struct Stream {
    pub fork: OpFork,
    pub flashblocks: Vec<OpFlashblockPayload>,
    pub headers: Vec<Header>,
}

/// One block: index 0 with two deposits, then flashblocks with as many transactions as `sizes` say,
/// each in priority order.
pub fn stream(fork: OpFork, number: u64, sizes: &[usize]) -> Stream {
    let mut block = Block::new(fork, number);
    let l1 = l1_info_deposit(fork, &default_l1_attributes(), number);
    let user = TxDeposit {
        source_hash: keccak256(number.to_be_bytes()),
        from: Address::repeat_byte(0xd0),
        to: TxKind::Call(Address::repeat_byte(0xd1)),
        mint: 7,
        gas_limit: 300_000,
        ..TxDeposit::default()
    };
    block.push(&[l1.into(), user.into()]);
    for (part, size) in sizes.iter().enumerate() {
        let txs: Vec<_> = (0..*size).map(|at| pooled(part, at, *size)).collect();
        block.push(&txs);
    }
    Stream {
        fork,
        flashblocks: block.flashblocks,
        headers: block.headers,
    }
}

/// As [`stream`] with one flashblock, whose transactions stand in the opposite of priority order.
pub fn reversed(fork: OpFork, number: u64, size: usize) -> Stream {
    let mut block = Block::new(fork, number);
    let l1 = l1_info_deposit(fork, &default_l1_attributes(), number);
    block.push(&[l1.into()]);
    let txs: Vec<_> = (0..size).rev().map(|at| pooled(0, at, size)).collect();
    block.push(&txs);
    Stream {
        fork,
        flashblocks: block.flashblocks,
        headers: block.headers,
    }
}

/// The whole stream through a strict verifier.
pub fn verify(fork: OpFork, flashblocks: &[OpFlashblockPayload]) -> Vec<Report> {
    let mut verifier = Verifier::new(VerifierRules {
        receipts_required: true,
        ..VerifierRules::v1()
    });
    let reports = flashblocks.iter().cloned().map(Arc::new);
    reports
        .map(|flashblock| verifier.check(&flashblock, |_| fork))
        .collect()
}

/// What the reports say that is not good.
pub fn complaints(reports: &[Report]) -> Vec<String> {
    let mut all = Vec::new();
    for report in reports {
        if !report.outcome.is_accepted() {
            all.push(format!("{:?}", report.outcome));
        }
        if let Some(Err(error)) = &report.block {
            all.push(format!("{error:?}"));
        }
        if let Some(Err(error)) = &report.order {
            all.push(format!("{error:?}"));
        }
    }
    all
}

/// The transaction at a place, of every type in turn; tips fall from place to place.
fn pooled(part: usize, at: usize, of: usize) -> OpTxEnvelope {
    let signer = PrivateKeySigner::from_bytes(&B256::with_last_byte(at as u8 + 1)).unwrap();
    let tip = (of - at) as u128;
    let fee = u128::from(BASE_FEE) + tip;
    let to = TxKind::Call(Address::repeat_byte(0x70));
    let nonce = part as u64;
    let gas_limit = 100_000;
    match at % 4 {
        0 => sign(
            &signer,
            TxEip1559 {
                chain_id: 901,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: 1_000,
                to,
                input: Bytes::from(vec![part as u8; 40 * at]),
                ..TxEip1559::default()
            },
        ),
        1 => sign(
            &signer,
            TxLegacy {
                chain_id: Some(901),
                nonce,
                gas_price: fee,
                gas_limit,
                to,
                value: U256::from(at),
                ..TxLegacy::default()
            },
        ),
        2 => sign(
            &signer,
            TxEip2930 {
                chain_id: 901,
                nonce,
                gas_price: fee,
                gas_limit,
                to,
                ..TxEip2930::default()
            },
        ),
        _ => sign(
            &signer,
            TxEip7702 {
                chain_id: 901,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: 1_000,
                ..TxEip7702::default()
            },
        ),
    }
}

fn sign<T>(signer: &PrivateKeySigner, tx: T) -> OpTxEnvelope
where
    T: SignableTransaction<alloy_primitives::Signature>,
    OpTxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    tx.into_signed(signature).into()
}

/// A block under construction.
struct Block {
    fork: OpFork,
    header: Header,
    encoded: Vec<Bytes>,
    receipts: Vec<Bytes>,
    footprint: u64,
    metadata: OpFlashblockPayloadMetadata,
    flashblocks: Vec<OpFlashblockPayload>,
    headers: Vec<Header>,
}

impl Block {
    fn new(fork: OpFork, number: u64) -> Self {
        let params = FeeParams {
            denominator: 250,
            elasticity: 6,
            min_base_fee: 0,
        };
        let ecotone = fork >= OpFork::Ecotone;
        let header = Header {
            parent_hash: B256::repeat_byte(0xaa),
            ommers_hash: NO_OMMERS,
            beneficiary: Address::repeat_byte(0xfe),
            number,
            gas_limit: 30_000_000,
            timestamp: 1_800_000_000 + 2 * number,
            extra_data: encode_extra_data(fork, &params),
            mix_hash: B256::repeat_byte(0xbb),
            base_fee_per_gas: Some(BASE_FEE),
            excess_blob_gas: ecotone.then_some(0),
            parent_beacon_block_root: ecotone.then_some(B256::repeat_byte(0xcc)),
            requests_hash: (fork >= OpFork::Isthmus).then_some(NO_REQUESTS),
            ..Header::default()
        };
        Self {
            fork,
            header,
            encoded: Vec::new(),
            receipts: Vec::new(),
            footprint: 0,
            metadata: OpFlashblockPayloadMetadata {
                block_number: number,
                ..OpFlashblockPayloadMetadata::default()
            },
            flashblocks: Vec::new(),
            headers: Vec::new(),
        }
    }

    fn push(&mut self, transactions: &[OpTxEnvelope]) {
        let index = self.flashblocks.len() as u64;
        self.metadata.receipts.clear();
        for tx in transactions {
            self.add(tx);
        }
        let touched = Address::repeat_byte(index as u8);
        self.metadata
            .new_account_balances
            .insert(touched, U256::from(index));
        self.complete(index);
        let header = &self.header;
        let base = OpFlashblockPayloadBase {
            parent_beacon_block_root: header.parent_beacon_block_root.unwrap_or_default(),
            parent_hash: header.parent_hash,
            fee_recipient: header.beneficiary,
            prev_randao: header.mix_hash,
            block_number: header.number,
            gas_limit: header.gas_limit,
            timestamp: header.timestamp,
            extra_data: header.extra_data.clone(),
            base_fee_per_gas: U256::from(BASE_FEE),
        };
        let new = self.encoded.len() - transactions.len();
        self.flashblocks.push(OpFlashblockPayload {
            payload_id: PayloadId::new(header.number.to_be_bytes()),
            index,
            base: (index == 0).then_some(base),
            diff: OpFlashblockPayloadDelta {
                state_root: header.state_root,
                receipts_root: header.receipts_root,
                logs_bloom: header.logs_bloom,
                gas_used: header.gas_used,
                block_hash: header.hash_slow(),
                transactions: self.encoded[new..].to_vec(),
                withdrawals: Vec::new(),
                withdrawals_root: header.withdrawals_root.unwrap_or_default(),
                blob_gas_used: header.blob_gas_used,
            },
            metadata: self.metadata.clone(),
        });
        self.headers.push(self.header.clone());
    }

    fn add(&mut self, envelope: &OpTxEnvelope) {
        let tx: RecoveredTx = decode_recovered(envelope.encoded_2718().into()).unwrap();
        let place = self.encoded.len() as u64;
        self.header.gas_used += 21_000 + place;
        let receipt = self.receipt(envelope, place);
        let bloom = receipt.bloom();
        self.header.logs_bloom |= bloom;
        self.receipts.push(in_trie(&receipt, bloom));
        self.metadata.receipts.insert(tx.hash, receipt);
        if !tx.is_deposit() {
            self.footprint += 400 * tx.da.0;
        }
        self.encoded.push(tx.encoded);
    }

    fn receipt(&self, envelope: &OpTxEnvelope, place: u64) -> OpReceipt {
        let log = Log {
            address: Address::repeat_byte(0xe0),
            data: LogData::new_unchecked(
                vec![keccak256(place.to_be_bytes())],
                Bytes::from(vec![1, 2]),
            ),
        };
        let inner = Receipt {
            status: Eip658Value::Eip658(place % 5 != 4),
            cumulative_gas_used: self.header.gas_used,
            logs: if place % 5 == 4 {
                Vec::new()
            } else {
                vec![log]
            },
        };
        match envelope {
            OpTxEnvelope::Legacy(_) => OpReceipt::Legacy(inner),
            OpTxEnvelope::Eip2930(_) => OpReceipt::Eip2930(inner),
            OpTxEnvelope::Eip1559(_) => OpReceipt::Eip1559(inner),
            OpTxEnvelope::Eip7702(_) => OpReceipt::Eip7702(inner),
            OpTxEnvelope::PostExec(_) => OpReceipt::PostExec(inner),
            OpTxEnvelope::Deposit(_) => OpReceipt::Deposit(OpDepositReceipt {
                inner,
                deposit_nonce: (self.fork >= OpFork::Regolith).then_some(place),
                deposit_receipt_version: (self.fork >= OpFork::Canyon).then_some(1),
            }),
        }
    }

    fn complete(&mut self, index: u64) {
        let fork = self.fork;
        let made_up = keccak256([index as u8]);
        self.header.state_root = made_up;
        self.header.transactions_root = ordered_trie_root_encoded(&self.encoded);
        self.header.receipts_root = ordered_trie_root_encoded(&self.receipts);
        self.header.withdrawals_root = match fork {
            OpFork::Bedrock | OpFork::Regolith => None,
            OpFork::Canyon
            | OpFork::Ecotone
            | OpFork::Fjord
            | OpFork::Granite
            | OpFork::Holocene => Some(EMPTY_TRIE),
            OpFork::Isthmus | OpFork::Jovian | OpFork::Karst => Some(keccak256(made_up)),
        };
        self.header.blob_gas_used = match fork {
            OpFork::Bedrock | OpFork::Regolith | OpFork::Canyon => None,
            OpFork::Jovian | OpFork::Karst => Some(self.footprint),
            _ => Some(0),
        };
    }
}

/// Regolith's receipts have a nonce that their trie has not.
fn in_trie(receipt: &OpReceipt, bloom: Bloom) -> Bytes {
    let mut receipt = receipt.clone();
    if let OpReceipt::Deposit(deposit) = &mut receipt
        && deposit.deposit_receipt_version.is_none()
    {
        deposit.deposit_nonce = None;
    }
    let with_bloom = alloy_consensus::ReceiptWithBloom {
        receipt,
        logs_bloom: bloom,
    };
    with_bloom.encoded_2718().into()
}
