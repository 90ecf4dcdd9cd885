//! A development chain in memory, and flashblocks that the EVM really built on it.

use std::sync::Arc;

use alloy_consensus::{Header, Sealable, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::MnemonicBuilder;
use alloy_signer_local::coins_bip39::English;
use blockwright_chain::ChainSpec;
use blockwright_chain::dev::{DEV_MNEMONIC, DevGenesis, default_l1_attributes, l1_info_deposit};
use blockwright_exec::ExecBlock;
use blockwright_seams::OpenBlock;
use blockwright_state::{
    BlockRef, ForkChoice, Genesis, StateReader, Store, StoreConfig, TrieDelta,
};
use blockwright_testkit::ManualClock;
use blockwright_types::{
    BlockContext, Changes, Flashblock, PayloadId, SealedBlock, SharedTx, UnixUs, decode_recovered,
};
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde_json::json;

use crate::{Pending, PendingFeed, pending};

pub(crate) const GENESIS_TIME: u64 = 1_760_000_000;
pub(crate) const INTERVAL_US: u64 = 200_000;
pub(crate) const SINK: Address = Address::repeat_byte(0xaa);

/// The state after these changes, as a store holds it.
pub(crate) fn state(changes: &Changes) -> StateReader {
    let header = Header::default();
    let hash = header.hash_slow();
    let genesis = Genesis {
        header,
        hash,
        changes: Changes::default(),
    };
    let store = Store::open(StoreConfig::in_memory(), genesis).unwrap();
    let (roots, delta) = store.roots_after(hash, changes).unwrap();
    let header = Header {
        parent_hash: hash,
        number: 1,
        state_root: roots.state,
        ..Header::default()
    };
    let block = SealedBlock {
        hash: header.hash_slow(),
        header,
        parts: Vec::new(),
        value: U256::ZERO,
    };
    let hash = block.hash;
    store.insert(Arc::new(block), delta).unwrap();
    store.reader(hash).unwrap()
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) chain: Arc<ChainSpec>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) feed: PendingFeed,
    pub(crate) pending: Pending,
}

/// One block's flashblocks, and the block.
pub(crate) struct Built {
    pub(crate) flashblocks: Vec<Arc<Flashblock>>,
    pub(crate) block: Arc<SealedBlock>,
    pub(crate) delta: TrieDelta,
}

impl World {
    pub(crate) fn new() -> Self {
        let genesis = DevGenesis {
            timestamp: GENESIS_TIME,
            ..DevGenesis::default()
        };
        let document = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
        let chain = ChainSpec::from_genesis_json(&document).unwrap();
        let genesis = Genesis {
            header: chain.genesis_header().clone(),
            hash: chain.genesis_hash(),
            changes: chain.genesis_changes().clone(),
        };
        let clock = Arc::new(ManualClock::at(UnixUs::from_secs(GENESIS_TIME)));
        let (feed, pending) = pending(INTERVAL_US, clock.clone());
        Self {
            store: Store::open(StoreConfig::in_memory(), genesis).unwrap(),
            chain: Arc::new(chain),
            clock,
            feed,
            pending,
        }
    }

    pub(crate) fn head(&self) -> BlockRef {
        self.store.head()
    }

    fn context(&self) -> BlockContext {
        let parent = self.store.header(self.head().hash).unwrap();
        let timestamp = parent.timestamp + 2;
        let attributes: OpPayloadAttributes = serde_json::from_value(json!({
            "timestamp": format!("0x{timestamp:x}"),
            "prevRandao": B256::repeat_byte(1),
            "suggestedFeeRecipient": "0x4200000000000000000000000000000000000011",
            "withdrawals": [],
            "parentBeaconBlockRoot": B256::ZERO,
            "gasLimit": "0x3938700",
            "eip1559Params": "0x0000000000000000",
            "minBaseFee": 0,
        }))
        .unwrap();
        self.chain
            .context_for_attributes(&parent, self.head().hash, &attributes)
            .unwrap()
    }

    /// A block on the head: the deposit, then one part for each list.
    pub(crate) fn build(&self, id: PayloadId, parts: &[Vec<SharedTx>]) -> Built {
        let context = self.context();
        let parent = context.parent_hash;
        let deposit = l1_info_deposit(context.fork, &default_l1_attributes(), 0);
        let opening = shared(&OpTxEnvelope::Deposit(deposit.seal_slow()));
        let reader = self.store.reader(parent).unwrap();
        let mut open = ExecBlock::open(context, reader, &[opening], id).unwrap();
        let mut all = Changes::default();
        let mut flashblocks = Vec::new();
        let mut last = None;
        for index in 0..=parts.len() {
            let txs = index.checked_sub(1).map_or(&[][..], |part| &parts[part]);
            for tx in txs {
                let sim = open.simulate(tx).unwrap();
                open.commit(sim).unwrap();
            }
            if let Some(changes) = open.take_changes() {
                all.extend(&changes);
            }
            let (roots, delta) = self.store.roots_after(parent, &all).unwrap();
            open.cut(index as u64);
            let sealed = open.seal(index as u64, &roots);
            flashblocks.push(sealed.flashblock);
            last = Some((sealed.block, delta));
        }
        let (block, delta) = last.unwrap();
        Built {
            flashblocks,
            block,
            delta,
        }
    }

    /// Makes a built block the head.
    pub(crate) fn adopt(&self, built: &Built) {
        let block = Arc::clone(&built.block);
        self.store.insert(block, built.delta.clone()).unwrap();
        let choice = ForkChoice {
            head: built.block.hash,
            safe: B256::ZERO,
            finalized: B256::ZERO,
        };
        self.store.set_fork_choice(choice).unwrap();
    }
}

pub(crate) fn id(byte: u8) -> PayloadId {
    PayloadId::new([byte; 8])
}

/// A payment of one wei by a development account.
pub(crate) fn payment(nonce: u64) -> SharedTx {
    let signer = MnemonicBuilder::<English>::default()
        .phrase(DEV_MNEMONIC)
        .index(0)
        .unwrap()
        .build()
        .unwrap();
    let tx = TxEip1559 {
        chain_id: 901,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(SINK),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    shared(&tx.into_signed(signature).into())
}

fn shared(envelope: &OpTxEnvelope) -> SharedTx {
    Arc::new(decode_recovered(envelope.encoded_2718().into()).unwrap())
}
