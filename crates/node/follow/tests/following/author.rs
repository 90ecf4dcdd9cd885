//! Somebody else's sequencer: builds blocks of several flashblocks, with its own store.

use std::sync::Arc;

use alloy_consensus::{Header, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B64, B256, Bytes, TxKind, U256, b256};
use alloy_rpc_types_engine::PayloadAttributes;
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use blockwright_chain::ChainSpec;
use blockwright_chain::dev::{DevGenesis, default_l1_attributes, l1_info_deposit};
use blockwright_exec::ExecBlock;
use blockwright_flashblocks::{OpFlashblockPayload, V1Encoder, decode_json};
use blockwright_seams::OpenBlock;
use blockwright_state::{Genesis, StateReader, Store, StoreConfig, TrieDelta};
use blockwright_types::{
    BlockContext, Changes, OpFork, PayloadId, SealedBlock, SharedTx, decode_recovered,
};
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;

pub const FORK: OpFork = OpFork::Karst;
pub const CHAIN_ID: u64 = 901;
pub const GAS_LIMIT: u64 = 60_000_000;
pub const RECEIVER: Address = Address::repeat_byte(0x77);
/// Key of the first account of the standard test mnemonic.
const FIRST_KEY: B256 = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

/// The chain that author and followers share.
pub fn chain() -> Arc<ChainSpec> {
    let genesis = DevGenesis {
        fork: FORK,
        chain_id: CHAIN_ID,
        gas_limit: GAS_LIMIT,
        timestamp: 1_795_255_412,
        ..DevGenesis::default()
    };
    let json = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
    Arc::new(ChainSpec::from_genesis_json(&json).unwrap())
}

pub fn open_store(chain: &ChainSpec) -> Store {
    let genesis = Genesis {
        header: chain.genesis_header().clone(),
        hash: chain.genesis_hash(),
        changes: chain.genesis_changes().clone(),
    };
    Store::open(StoreConfig::in_memory(), genesis).unwrap()
}

/// A block and what was streamed of it.
#[derive(Clone, Debug)]
pub struct Built {
    pub flashblocks: Vec<Arc<OpFlashblockPayload>>,
    pub block: Arc<SealedBlock>,
    pub delta: TrieDelta,
}

impl Built {
    pub fn hash(&self) -> B256 {
        self.block.hash
    }

    pub fn number(&self) -> u64 {
        self.block.header.number
    }
}

pub struct Author {
    pub chain: Arc<ChainSpec>,
    store: Store,
    /// The block that the next one is built on.
    pub head: Header,
    pub head_hash: B256,
    nonce: u64,
    payloads: u64,
}

impl Author {
    pub fn new(chain: &Arc<ChainSpec>) -> Self {
        Self {
            chain: Arc::clone(chain),
            store: open_store(chain),
            head: chain.genesis_header().clone(),
            head_hash: chain.genesis_hash(),
            nonce: 0,
            payloads: 0,
        }
    }

    /// A block on the last one, with roots in every flashblock: flashblock 0, and one for each of
    /// `sizes` with as many transfers of 1 wei.
    pub fn build(&mut self, sizes: &[usize]) -> Built {
        self.build_with(sizes, |_| true)
    }

    /// As [`Self::build`], with roots where `rooted` says so.
    pub fn build_with(&mut self, sizes: &[usize], rooted: impl Fn(u64) -> bool) -> Built {
        let (built, used) = self.propose(sizes, rooted);
        self.nonce += used;
        self.store
            .insert(Arc::clone(&built.block), built.delta.clone())
            .unwrap();
        self.head = built.block.header.clone();
        self.head_hash = built.hash();
        built
    }

    /// A block that the next one is not built on.
    pub fn abandon(&mut self, sizes: &[usize]) -> Built {
        self.propose(sizes, |_| true).0
    }

    fn propose(&mut self, sizes: &[usize], rooted: impl Fn(u64) -> bool) -> (Built, u64) {
        self.payloads += 1;
        let id = PayloadId::new(self.payloads.to_be_bytes());
        let context = self.context();
        let deposit = self.deposit(&context);
        let reader = self.store.reader(self.head_hash).unwrap();
        let mut block = ExecBlock::open(context, reader, &[deposit], id).unwrap();
        let mut changes = Changes::default();
        let mut encoder = V1Encoder::new();
        let mut flashblocks = Vec::new();
        let mut last = None;
        let mut used = 0;
        for index in 0..=sizes.len() as u64 {
            if index > 0 {
                for _ in 0..sizes[index as usize - 1] {
                    let tx = transfer(self.nonce + used);
                    let sim = block.simulate(&tx).unwrap();
                    block.commit(sim).unwrap();
                    used += 1;
                }
            }
            if let Some(more) = block.take_changes() {
                changes.extend(&more);
            }
            block.cut(index);
            let (sealed, delta, flashblock) = self.end(&mut block, index, &changes, rooted(index));
            let frame = encoder.encode(&flashblock).unwrap();
            flashblocks.push(Arc::new(decode_json(&frame).unwrap().payload));
            last = Some((sealed, delta));
        }
        let (block, delta) = last.unwrap();
        let built = Built {
            flashblocks,
            block,
            delta,
        };
        (built, used)
    }

    fn end(
        &self,
        block: &mut ExecBlock<StateReader>,
        index: u64,
        changes: &Changes,
        rooted: bool,
    ) -> (
        Arc<SealedBlock>,
        TrieDelta,
        Arc<blockwright_types::Flashblock>,
    ) {
        let (roots, delta) = self.store.roots_after(self.head_hash, changes).unwrap();
        if rooted {
            let sealed = block.seal(index, &roots);
            (sealed.block, delta, sealed.flashblock)
        } else {
            let preview = block.preview(index);
            let sealed = Arc::new(preview.block.with_roots(&roots));
            (sealed, delta, preview.flashblock)
        }
    }

    fn context(&self) -> BlockContext {
        let attributes = OpPayloadAttributes {
            payload_attributes: PayloadAttributes {
                timestamp: self.head.timestamp + 2,
                // Another payload on the same parent is another block.
                prev_randao: B256::from(U256::from(self.payloads)),
                suggested_fee_recipient: Address::repeat_byte(0x42),
                withdrawals: Some(Vec::new()),
                parent_beacon_block_root: Some(B256::ZERO),
                ..PayloadAttributes::default()
            },
            transactions: None,
            no_tx_pool: None,
            gas_limit: Some(GAS_LIMIT),
            eip_1559_params: Some(B64::ZERO),
            min_base_fee: Some(0),
        };
        self.chain
            .context_for_attributes(&self.head, self.head_hash, &attributes)
            .unwrap()
    }

    fn deposit(&self, context: &BlockContext) -> SharedTx {
        let deposit = l1_info_deposit(FORK, &default_l1_attributes(), context.timestamp);
        shared(&OpTxEnvelope::from(deposit))
    }
}

fn shared(envelope: &OpTxEnvelope) -> SharedTx {
    Arc::new(decode_recovered(Bytes::from(envelope.encoded_2718())).unwrap())
}

fn transfer(nonce: u64) -> SharedTx {
    let tx = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Call(RECEIVER),
        value: U256::ONE,
        ..TxEip1559::default()
    };
    let signer = PrivateKeySigner::from_bytes(&FIRST_KEY).unwrap();
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    shared(&OpTxEnvelope::from(tx.into_signed(signature)))
}
