//! Chains for tests: scripted changes, a plain model of the state, and its root from scratch.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use alloy_consensus::{Eip658Value, Header, Receipt};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, Log, LogData, TxKind, U256, keccak256,
};
use alloy_rlp::Encodable;
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, TrieAccount};
use blockwright_types::{
    AccountChange, AccountPost, BlockPart, Changes, L2_TO_L1_MESSAGE_PASSER, RecoveredTx, Roots,
    SealedBlock,
};
use nybbles::Nibbles;
use op_alloy_consensus::{OpDepositReceipt, OpReceipt, OpTxEnvelope, TxDeposit};
use parking_lot::RwLock;

use crate::{Durability, ForkChoice, Genesis, StateError, Store, StoreConfig, TrieDelta};

/// A small deterministic generator (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

pub(crate) fn address(number: u64) -> Address {
    match number {
        0 => L2_TO_L1_MESSAGE_PASSER,
        _ => Address::left_padding_from(&number.to_be_bytes()),
    }
}

/// Random post-values of a few of 16 accounts and 12 slots: creations, updates, deletions, wipes,
/// re-creations, code.
pub(crate) fn changes(rng: &mut Rng) -> Changes {
    let mut changes = Changes::default();
    for _ in 0..=rng.below(6) {
        let mut change = AccountChange {
            post: None,
            storage_wiped: true,
            storage: Default::default(),
        };
        if rng.below(5) > 0 {
            let code = Bytes::from(vec![0x60, rng.below(4) as u8]);
            let code_hash = match rng.below(3) {
                0 => keccak256(&code),
                _ => KECCAK256_EMPTY,
            };
            if code_hash != KECCAK256_EMPTY {
                changes.code.insert(code_hash, code);
            }
            change.post = Some(AccountPost {
                balance: U256::from(rng.next()),
                nonce: rng.below(300),
                code_hash,
            });
            change.storage_wiped = rng.below(6) == 0;
            for _ in 0..rng.below(6) {
                let value = match rng.below(3) {
                    0 => U256::ZERO,
                    1 => U256::from(rng.below(100)),
                    _ => U256::from(rng.next()) << 190,
                };
                change.storage.insert(U256::from(rng.below(12)), value);
            }
        }
        changes.accounts.insert(address(rng.below(16)), change);
    }
    changes
}

/// The state as plain maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<Address, (AccountPost, BTreeMap<U256, U256>)>,
}

impl Model {
    pub(crate) fn apply(&mut self, changes: &Changes) {
        for (address, change) in &changes.accounts {
            let Some(post) = change.post else {
                self.accounts.remove(address);
                continue;
            };
            let (account, storage) = self
                .accounts
                .entry(*address)
                .or_insert_with(|| (post, BTreeMap::new()));
            *account = post;
            if change.storage_wiped {
                storage.clear();
            }
            for (slot, value) in &change.storage {
                if value.is_zero() {
                    storage.remove(slot);
                } else {
                    storage.insert(*slot, *value);
                }
            }
        }
    }

    pub(crate) fn roots(&self) -> Roots {
        let storage_root = |storage: &BTreeMap<U256, U256>| {
            root(
                storage
                    .iter()
                    .map(|(slot, value)| (keccak256(B256::from(*slot)), alloy_rlp::encode(value))),
            )
        };
        Roots {
            state: root(self.accounts.iter().map(|(address, (post, storage))| {
                let account = TrieAccount::new(
                    post.nonce,
                    post.balance,
                    storage_root(storage),
                    post.code_hash,
                );
                let mut value = Vec::new();
                account.encode(&mut value);
                (keccak256(address), value)
            })),
            message_passer: self
                .accounts
                .get(&L2_TO_L1_MESSAGE_PASSER)
                .map_or(EMPTY_ROOT_HASH, |(_, storage)| storage_root(storage)),
        }
    }

    /// Every account and slot there could be reads as here.
    pub(crate) fn assert_read_by(&self, store: &Store, hash: B256) {
        let reader = store.reader(hash).unwrap();
        for number in 0..16 {
            let address = address(number);
            let expected = self.accounts.get(&address);
            assert_eq!(reader.account(&address), expected.map(|(post, _)| *post));
            if let Some((post, _)) = expected {
                assert_eq!(
                    keccak256(reader.code(&post.code_hash).unwrap()),
                    post.code_hash
                );
            }
            for slot in (0..12).map(U256::from) {
                let value = expected.and_then(|(_, storage)| storage.get(&slot));
                assert_eq!(
                    reader.storage(&address, &slot),
                    value.copied().unwrap_or_default()
                );
            }
        }
    }
}

fn root(leaves: impl Iterator<Item = (B256, Vec<u8>)>) -> B256 {
    let sorted: BTreeMap<_, _> = leaves.collect();
    let mut builder = HashBuilder::default();
    for (key, value) in sorted {
        builder.add_leaf(Nibbles::unpack(key), &value);
    }
    builder.root()
}

/// The genesis of all scripted chains, with its state.
pub(crate) fn genesis() -> (Genesis, Model) {
    let changes = changes(&mut Rng(7));
    let mut model = Model::default();
    model.apply(&changes);
    let header = Header {
        state_root: model.roots().state,
        ..Header::default()
    };
    let hash = header.hash_slow();
    (
        Genesis {
            header,
            hash,
            changes,
        },
        model,
    )
}

/// A config with small files, so that a few blocks fill several.
pub(crate) fn config(directory: &Path) -> StoreConfig {
    StoreConfig {
        segment_bytes: 4096,
        ..StoreConfig::in_directory(directory)
    }
}

/// A child process holds every open file, and with it the lock of every open store, until it has
/// begun its own program: no store is opened while one is being spawned.
pub(crate) static SPAWNING: RwLock<()> = RwLock::new(());

pub(crate) fn open(directory: &Path) -> Store {
    open_with(config(directory), genesis().0).unwrap()
}

pub(crate) fn open_with(config: StoreConfig, genesis: Genesis) -> Result<Store, StateError> {
    let _nobody_spawns = SPAWNING.read();
    Store::open(config, genesis)
}

pub(crate) fn memory(window_blocks: u64) -> Store {
    let config = StoreConfig {
        durability: Durability::Memory,
        window_blocks,
        window_blocks_max: window_blocks * 2,
        ..StoreConfig::in_memory()
    };
    Store::open(config, genesis().0).unwrap()
}

/// A block with one deposit and its receipt; `salt` tells siblings apart.
pub(crate) fn child(
    store: &Store,
    parent: B256,
    changes: Changes,
    salt: u64,
) -> (Arc<SealedBlock>, TrieDelta) {
    let number = store.reader(parent).unwrap().number() + 1;
    let (roots, delta) = store.roots_after(parent, &changes).unwrap();
    let header = Header {
        parent_hash: parent,
        number,
        state_root: roots.state,
        extra_data: Bytes::copy_from_slice(&salt.to_be_bytes()),
        base_fee_per_gas: Some(1),
        withdrawals_root: Some(roots.message_passer),
        ..Header::default()
    };
    let receipt = OpReceipt::Deposit(OpDepositReceipt {
        inner: Receipt {
            status: Eip658Value::Eip658(true),
            cumulative_gas_used: 21_000 + salt,
            logs: vec![Log {
                address: address(1),
                data: LogData::new_unchecked(vec![B256::repeat_byte(1)], Bytes::from(vec![2])),
            }],
        },
        deposit_nonce: Some(number),
        deposit_receipt_version: Some(1),
    });
    let transactions = vec![Arc::new(deposit(number, salt))];
    let part = BlockPart::new(transactions, vec![receipt], vec![Arc::new(changes)]);
    let block = SealedBlock {
        hash: header.hash_slow(),
        header,
        parts: vec![Arc::new(part)],
        value: U256::from(salt),
    };
    (Arc::new(block), delta)
}

fn deposit(number: u64, salt: u64) -> RecoveredTx {
    let tx = TxDeposit {
        source_hash: keccak256([number.to_be_bytes(), salt.to_be_bytes()].concat()),
        from: address(3),
        to: TxKind::Call(address(4)),
        gas_limit: 50_000,
        ..TxDeposit::default()
    };
    let envelope = OpTxEnvelope::from(tx);
    let encoded = Bytes::from(envelope.encoded_2718());
    RecoveredTx::new(envelope, encoded, address(3))
}

/// Adds a random child of `parent` and returns it.
pub(crate) fn grow(store: &Store, parent: B256, rng: &mut Rng) -> Arc<SealedBlock> {
    let (block, delta) = child(store, parent, changes(rng), rng.next());
    store.insert(Arc::clone(&block), delta).unwrap();
    block
}

/// A fork choice of a head alone.
pub(crate) const fn head(head: B256) -> ForkChoice {
    ForkChoice {
        head,
        safe: B256::ZERO,
        finalized: B256::ZERO,
    }
}
