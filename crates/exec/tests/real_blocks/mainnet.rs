//! OP Mainnet, Regolith: every block whose parent's state is given executes to its own header.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::map::{B256Map, HashMap};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_trie::nodes::{ExtensionNode, LeafNode, TrieNode};
use blockwright_exec::{assemble_header, execute_block};
use blockwright_types::{BlockContext, OpFork, RecoveredTx, SharedTx};
use op_alloy_consensus::OpTxEnvelope;
use op_revm::constants::OPERATOR_FEE_RECIPIENT;
use serde_json::Value;

use crate::folder;
use crate::reader::{TrieReader, roots};

/// Everything the files give, by block.
#[derive(Default)]
struct Given {
    headers: HashMap<u64, Value>,
    blocks: HashMap<u64, Value>,
    /// By the block whose state it is.
    state_roots: HashMap<u64, B256>,
    preimages: B256Map<Bytes>,
}

fn number(query: &Value) -> u64 {
    query["block_no"].as_u64().unwrap()
}

fn parsed<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

impl Given {
    fn read(files: &[(String, Value)]) -> Self {
        let mut given = Self::default();
        for (_, file) in files {
            for pair in file["full_blocks"].as_array().unwrap() {
                given.blocks.insert(number(&pair[0]), pair[1].clone());
                given.headers.insert(number(&pair[0]), pair[1].clone());
            }
            for pair in file["partial_blocks"].as_array().unwrap() {
                given.headers.insert(number(&pair[0]), pair[1].clone());
            }
            for pair in file["code"].as_array().unwrap() {
                let code: Bytes = parsed(&pair[1]);
                given.preimages.insert(keccak256(&code), code);
            }
            for pair in file["proofs"].as_array().unwrap() {
                given.add_proof(number(&pair[0]), &pair[1]);
            }
        }
        given
    }

    fn add_proof(&mut self, number: u64, proof: &Value) {
        let nodes: Vec<Bytes> = parsed(&proof["accountProof"]);
        self.state_roots.insert(number, keccak256(&nodes[0]));
        nodes.into_iter().for_each(|node| self.add_node(node));
        for slot in proof["storageProof"].as_array().unwrap() {
            let nodes: Vec<Bytes> = parsed(&slot["proof"]);
            nodes.into_iter().for_each(|node| self.add_node(node));
        }
    }

    /// Adds a node, and for a leaf or extension every one with a shorter path: where a deletion
    /// merges a node into its only sibling, the proof after the block shows the merged node, but the
    /// trie needs the sibling as it was before.
    fn add_node(&mut self, node: Bytes) {
        match alloy_rlp::decode_exact::<TrieNode>(&node) {
            Ok(TrieNode::Leaf(leaf)) => {
                for start in 1..=leaf.key.len() {
                    let shorter = LeafNode::new(leaf.key.slice(start..), leaf.value.clone());
                    self.add_preimage(alloy_rlp::encode(&shorter).into());
                }
            }
            Ok(TrieNode::Extension(extension)) => {
                for start in 1..extension.key.len() {
                    let shorter =
                        ExtensionNode::new(extension.key.slice(start..), extension.child.clone());
                    self.add_preimage(alloy_rlp::encode(&shorter).into());
                }
            }
            _ => {}
        }
        self.add_preimage(node);
    }

    fn add_preimage(&mut self, node: Bytes) {
        self.preimages.insert(keccak256(&node), node);
    }
}

fn transactions(block: &Value) -> Vec<SharedTx> {
    let list = block["transactions"].as_array().unwrap();
    list.iter()
        .map(|json| Arc::new(transaction(json)))
        .collect()
}

fn transaction(json: &Value) -> RecoveredTx {
    let mut fields = json.clone();
    // op-alloy reads this flag as a quantity.
    let system = json["isSystemTx"].as_bool().unwrap_or(false);
    fields["isSystemTx"] = Value::from(if system { "0x1" } else { "0x0" });
    let envelope: OpTxEnvelope = parsed(&fields);
    let sender: Address = parsed(&json["from"]);
    let encoded = Bytes::from(envelope.encoded_2718());
    let tx = RecoveredTx::new(envelope, encoded, sender);
    assert_eq!(tx.hash, parsed::<B256>(&json["hash"]));
    tx
}

fn context(header: &Header) -> BlockContext {
    BlockContext {
        chain_id: 10,
        fork: OpFork::Regolith,
        activates: None,
        parent_hash: header.parent_hash,
        number: header.number,
        timestamp: header.timestamp,
        fee_recipient: header.beneficiary,
        prev_randao: header.mix_hash,
        gas_limit: header.gas_limit,
        base_fee: header.base_fee_per_gas.unwrap(),
        extra_data: header.extra_data.clone(),
        parent_beacon_block_root: None,
    }
}

#[test]
fn real_blocks_of_op_mainnet_execute_to_their_headers() {
    let Some(files) = folder::load("op-mainnet") else {
        return;
    };
    let given = Given::read(&files);
    let mut executed = 0;
    for (&number, block) in &given.blocks {
        let Some(&parent_root) = given.state_roots.get(&(number - 1)) else {
            continue;
        };
        if let Some(parent) = given.headers.get(&(number - 1)) {
            assert_eq!(parsed::<B256>(&parent["stateRoot"]), parent_root);
        }
        execute(&given, parent_root, block);
        executed += 1;
    }
    assert!(executed >= 9, "only {executed} blocks could be executed");
}

fn execute(given: &Given, parent_root: B256, block: &Value) {
    let header: Header = parsed(block);
    let hash: B256 = parsed(&block["hash"]);
    let txs = transactions(block);
    let mut reader = TrieReader::new(parent_root, given.preimages.clone());
    reader.block_hashes = given
        .headers
        .iter()
        .map(|(number, header)| (*number, parsed(&header["hash"])))
        .collect();
    // op-revm credits the operator fee vault with zero before there is an operator fee.
    reader.unknown.push(OPERATOR_FEE_RECIPIENT);
    let mut trie = reader.trie.clone();
    let result = execute_block(context(&header), reader, &txs).unwrap();
    assert_eq!(result.totals.gas_used, header.gas_used, "{}", header.number);
    assert_eq!(result.totals.receipts_root, header.receipts_root);
    assert_eq!(result.totals.transactions_root, header.transactions_root);
    assert_eq!(result.totals.logs_bloom, header.logs_bloom);

    trie.apply(&result.part.net_changes()).unwrap();
    let roots = roots(&mut trie);
    assert_eq!(roots.state, header.state_root, "{}", header.number);
    let assembled = assemble_header(&context(&header), &result.totals, &roots);
    assert_eq!(assembled.hash_slow(), hash);
}
