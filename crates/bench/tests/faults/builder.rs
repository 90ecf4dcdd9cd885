//! The mock's block building: no EVM, correct unless told otherwise.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::{B256, Bytes, keccak256};
use blockwright_flashblocks::{OpFlashblockPayload, OpFlashblockPayloadDelta};
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// Gas of each transaction.
const GAS: u64 = 21_000;
/// Transactions that a flashblock takes from the pool at most.
const FLASHBLOCK_TRANSACTIONS_MAX: usize = 200;

/// What goes wrong, once, as soon as there is load enough to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The sealed block lacks a transaction of a flashblock; a later block has it.
    BreakPromise,
    /// The sealed block has its last two transactions in another order.
    Reorder,
    /// A flashblock is built and sealed, but not published.
    DropFlashblock,
    /// A transaction is accepted and forgotten.
    LoseTransaction,
    /// The sealed block has a state root of zero.
    SealZeroRoot,
    /// A flashblock is published again with less in it.
    Contradict,
    /// A block that was handed in is called invalid.
    CallInvalid,
    /// The stream is closed.
    CloseStream,
}

/// A flashblock's text, or the end of the stream.
#[derive(Clone, Debug)]
pub enum Publication {
    Frame(String),
    Close,
}

/// A block builder and its chain.
#[derive(Debug)]
pub struct Builder {
    pub chain_id: u64,
    fault: Option<Fault>,
    stream: broadcast::Sender<Publication>,
    pool: VecDeque<Bytes>,
    /// Timestamps in seconds of the canonical chain by number and hash.
    chain: Vec<(B256, u64)>,
    /// Everything that was sealed or handed in and is not canonical yet.
    known: BTreeMap<B256, (u64, u64)>,
    job: Option<Job>,
    jobs: u64,
}

/// A payload that is being built.
#[derive(Debug)]
struct Job {
    id: [u8; 8],
    number: u64,
    timestamp_s: u64,
    gas_limit: u64,
    parent: B256,
    /// Flashblocks due after index 0.
    due: u64,
    /// Content of each flashblock up to now.
    flashblocks: Vec<Vec<Bytes>>,
    sealed: Option<Value>,
}

impl Builder {
    pub fn new(
        chain_id: u64,
        fault: Option<Fault>,
        stream: broadcast::Sender<Publication>,
    ) -> Self {
        Self {
            chain_id,
            fault,
            stream,
            pool: VecDeque::new(),
            chain: vec![(B256::repeat_byte(0xaa), 1_700_000_000)],
            known: BTreeMap::new(),
            job: None,
            jobs: 0,
        }
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Publication> {
        self.stream.subscribe()
    }

    /// Number, hash and timestamp of a canonical block; the head for `None`.
    pub fn block(&self, number: Option<u64>) -> Option<(u64, B256, u64)> {
        let number = number.unwrap_or(self.chain.len() as u64 - 1);
        let (hash, timestamp_s) = self.chain.get(number as usize)?;
        Some((number, *hash, *timestamp_s))
    }

    pub fn accept(&mut self, transaction: Bytes) -> B256 {
        let hash = keccak256(&transaction);
        if !self.fault_strikes(Fault::LoseTransaction, true) {
            self.pool.push_back(transaction);
        }
        hash
    }

    /// Takes a block that another builder made; whether it is called valid.
    pub fn import(&mut self, payload: &Value) -> bool {
        let hash: B256 = serde_json::from_value(payload["blockHash"].clone()).unwrap();
        let number = quantity(&payload["blockNumber"]);
        self.known
            .insert(hash, (number, quantity(&payload["timestamp"])));
        let loaded = payload["transactions"].as_array().unwrap().len() > 1;
        !self.fault_strikes(Fault::CallInvalid, loaded)
    }

    /// Makes a known block the head.
    pub fn set_head(&mut self, hash: B256) {
        if let Some((number, timestamp_s)) = self.known.remove(&hash) {
            self.chain.truncate(number as usize);
            self.chain.push((hash, timestamp_s));
        }
    }

    /// Starts a payload with `due` flashblocks after index 0, which is published at once.
    pub fn start(&mut self, attributes: &Value, due: u64) -> [u8; 8] {
        let (parent_number, parent, _) = self.block(None).unwrap();
        self.jobs += 1;
        let mut id = self.jobs.to_be_bytes();
        id[0] = 3;
        let sequencer = serde_json::from_value(attributes["transactions"].clone()).unwrap();
        self.job = Some(Job {
            id,
            number: parent_number + 1,
            timestamp_s: quantity(&attributes["timestamp"]),
            gas_limit: quantity(&attributes["gasLimit"]),
            parent,
            due,
            flashblocks: vec![sequencer],
            sealed: None,
        });
        self.publish(0, None);
        id
    }

    /// Builds and publishes what is due of payload `id` up to `index`, unless it is sealed.
    pub fn advance(&mut self, id: [u8; 8], index: u64) {
        while let Some(job) = self
            .job
            .as_mut()
            .filter(|job| job.id == id && job.sealed.is_none())
        {
            let next = job.flashblocks.len() as u64;
            if next > index.min(job.due) {
                break;
            }
            let count = self.pool.len().min(FLASHBLOCK_TRANSACTIONS_MAX);
            let content: Vec<_> = self.pool.drain(..count).collect();
            job.flashblocks.push(content.clone());
            // A gap shows only where another flashblock follows.
            let followed = next < job.due && !content.is_empty();
            if self.fault_strikes(Fault::CloseStream, followed) {
                let _ = self.stream.send(Publication::Close);
            }
            if !self.fault_strikes(Fault::DropFlashblock, followed) {
                self.publish(next, None);
            }
            if self.fault_strikes(Fault::Contradict, !content.is_empty()) {
                self.publish(next, content.split_last().map(|(_, fewer)| fewer));
            }
        }
    }

    /// Publishes the rest of payload `id` and seals it; the envelope.
    pub fn seal(&mut self, id: [u8; 8]) -> Option<Value> {
        self.advance(id, u64::MAX);
        let job = self.job.as_ref().filter(|job| job.id == id)?;
        if let Some(sealed) = &job.sealed {
            return Some(sealed.clone());
        }
        let mut transactions = job.flashblocks.concat();
        let (loaded, several) = (transactions.len() > 1, transactions.len() > 2);
        if self.fault_strikes(Fault::BreakPromise, loaded) {
            self.pool.extend(transactions.pop());
        }
        if self.fault_strikes(Fault::Reorder, several) {
            let last = transactions.len() - 1;
            transactions.swap(last - 1, last);
        }
        let zero_root = self.fault_strikes(Fault::SealZeroRoot, loaded);
        let state_root = if zero_root {
            B256::ZERO
        } else {
            root(&transactions)
        };
        let job = self.job.as_mut()?;
        let envelope = envelope(job, &transactions, state_root);
        job.sealed = Some(envelope.clone());
        Some(envelope)
    }

    /// Publishes flashblock `index` of the running payload, with `instead` in place of its content.
    fn publish(&self, index: u64, instead: Option<&[Bytes]>) {
        let job = self.job.as_ref().unwrap();
        let content = &job.flashblocks[index as usize];
        let so_far = job.flashblocks.concat();
        let mut flashblock = OpFlashblockPayload {
            index,
            diff: OpFlashblockPayloadDelta {
                state_root: root(&so_far),
                block_hash: root(&so_far),
                gas_used: so_far.len() as u64 * GAS,
                transactions: instead.unwrap_or(content).to_vec(),
                ..OpFlashblockPayloadDelta::default()
            },
            ..OpFlashblockPayload::default()
        };
        flashblock.payload_id.0 = job.id.into();
        flashblock.metadata.block_number = job.number;
        let text = serde_json::to_string(&flashblock).unwrap();
        // Nobody may listen yet.
        let _ = self.stream.send(Publication::Frame(text));
    }

    /// Whether `fault` is to happen now, which it does once.
    fn fault_strikes(&mut self, fault: Fault, possible: bool) -> bool {
        let strikes = possible && self.fault == Some(fault);
        if strikes {
            self.fault = None;
        }
        strikes
    }
}

fn envelope(job: &Job, transactions: &[Bytes], state_root: B256) -> Value {
    let zero = B256::ZERO;
    json!({
        "executionPayload": {
            "parentHash": job.parent,
            "feeRecipient": alloy_primitives::Address::ZERO,
            "stateRoot": state_root,
            "receiptsRoot": zero,
            "logsBloom": alloy_primitives::Bloom::ZERO,
            "prevRandao": zero,
            "blockNumber": format!("{:#x}", job.number),
            "gasLimit": format!("{:#x}", job.gas_limit),
            "gasUsed": format!("{:#x}", transactions.len() as u64 * GAS),
            "timestamp": format!("{:#x}", job.timestamp_s),
            "extraData": "0x",
            "baseFeePerGas": "0x1",
            "blockHash": keccak256([job.parent, root(transactions)].concat()),
            "transactions": transactions,
            "withdrawals": [],
            "blobGasUsed": "0x0",
            "excessBlobGas": "0x0",
            "withdrawalsRoot": zero,
        },
        "blockValue": "0x0",
        "blobsBundle": { "commitments": [], "proofs": [], "blobs": [] },
        "shouldOverrideBuilder": false,
        "parentBeaconBlockRoot": zero,
        "executionRequests": [],
    })
}

/// Stands for every root of a block with these transactions.
fn root(transactions: &[Bytes]) -> B256 {
    keccak256(transactions.concat())
}

pub fn quantity(value: &Value) -> u64 {
    let text = value.as_str().unwrap();
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}
