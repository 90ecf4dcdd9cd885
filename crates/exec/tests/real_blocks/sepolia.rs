//! OP Sepolia, Holocene: building with the recorded attributes gives the recorded block.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B64, B256, Bytes, U64};
use blockwright_exec::{ExecBlock, execute_block};
use blockwright_seams::OpenBlock as _;
use blockwright_types::{BlockContext, OpFork, PayloadId, SharedTx, decode_recovered};
use serde_json::Value;

use crate::folder;
use crate::reader::{TrieReader, roots};

fn parsed<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Denominator and elasticity as they stand in Holocene's extra data (after its version byte) and in
/// the attributes.
fn fee_parameters(bytes: &[u8]) -> BaseFeeParams {
    let word = |at: usize| u128::from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()));
    BaseFeeParams::new(word(0), word(4))
}

fn context(parent: &Header, attributes: &Value) -> BlockContext {
    let parameters: B64 = parsed(&attributes["eip1559Params"]);
    let base_fee = calc_next_block_base_fee(
        parent.gas_used,
        parent.gas_limit,
        parent.base_fee_per_gas.unwrap(),
        fee_parameters(&parent.extra_data[1..]),
    );
    BlockContext {
        chain_id: 11_155_420,
        fork: OpFork::Holocene,
        activates: None,
        parent_hash: parent.hash_slow(),
        number: parent.number + 1,
        timestamp: parsed::<U64>(&attributes["timestamp"]).to(),
        fee_recipient: parsed::<Address>(&attributes["suggestedFeeRecipient"]),
        prev_randao: parsed(&attributes["prevRandao"]),
        gas_limit: parsed::<U64>(&attributes["gasLimit"]).to(),
        base_fee,
        extra_data: [&[0], parameters.as_slice()].concat().into(),
        parent_beacon_block_root: Some(parsed(&attributes["parentBeaconBlockRoot"])),
    }
}

fn transactions(attributes: &Value) -> Vec<SharedTx> {
    parsed::<Vec<Bytes>>(&attributes["transactions"])
        .into_iter()
        .map(|encoded| Arc::new(decode_recovered(encoded).unwrap()))
        .collect()
}

struct Recorded {
    parent: Header,
    attributes: Value,
    hash: B256,
    preimages: B256Map<Bytes>,
}

impl Recorded {
    fn all() -> Option<Vec<(String, Self)>> {
        let files = folder::load("op-sepolia")?;
        let one = |file: &Value| Self {
            parent: parsed(&file["parent_header"]),
            attributes: file["executing_payload"].clone(),
            hash: parsed(&file["expected_block_hash"]),
            preimages: parsed(&file["preimages"]),
        };
        Some(
            files
                .iter()
                .map(|(name, file)| (name.clone(), one(file)))
                .collect(),
        )
    }

    fn reader(&self) -> TrieReader {
        TrieReader::new(self.parent.state_root, self.preimages.clone())
    }
}

#[test]
fn real_blocks_of_op_sepolia_rebuild_to_their_hashes() {
    let Some(recorded) = Recorded::all() else {
        return;
    };
    for (name, recorded) in recorded {
        let reader = recorded.reader();
        let mut trie = reader.trie.clone();
        let context = context(&recorded.parent, &recorded.attributes);
        let txs = transactions(&recorded.attributes);
        let mut block = ExecBlock::open(context, reader, &txs, PayloadId::default()).unwrap();
        while let Some(changes) = block.take_changes() {
            trie.apply(&changes).unwrap();
        }
        block.cut(0);
        let sealed = block.seal(0, &roots(&mut trie));
        assert_eq!(sealed.block.hash, recorded.hash, "{name}");
        assert_eq!(sealed.flashblock.block_hash, recorded.hash);
    }
}

/// The same block in flashblocks of three transactions, roots after each, and by the import path.
#[test]
fn real_blocks_of_op_sepolia_in_flashblocks_have_the_same_hash() {
    let Some(recorded) = Recorded::all() else {
        return;
    };
    for (name, recorded) in recorded {
        let context = context(&recorded.parent, &recorded.attributes);
        let txs = transactions(&recorded.attributes);
        let imported = execute_block(context.clone(), recorded.reader(), &txs).unwrap();
        let deposits = txs.iter().filter(|tx| tx.is_deposit()).count();
        let reader = recorded.reader();
        let mut trie = reader.trie.clone();
        let id = PayloadId::default();
        let mut block = ExecBlock::open(context, reader, &txs[..deposits], id).unwrap();
        let mut rest = txs[deposits..].chunks(3);
        for index in 0.. {
            if let Some(changes) = block.take_changes() {
                trie.apply(&changes).unwrap();
            }
            block.cut(index);
            let roots = roots(&mut trie);
            let Some(chunk) = rest.next() else {
                let sealed = block.seal(index, &roots).block;
                assert_eq!(sealed.hash, recorded.hash, "{name}");
                assert!(sealed.receipts().eq(&imported.part.receipts));
                assert_eq!(sealed.value, imported.value);
                break;
            };
            for tx in chunk {
                let sim = block.simulate(tx).unwrap();
                block.commit(sim).unwrap();
            }
            // Sealed late, when the next part's transactions are already in.
            assert_eq!(block.seal(index, &roots).flashblock.index, index);
        }
    }
}
