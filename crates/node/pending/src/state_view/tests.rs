//! Layers of random changes against plain maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::map::U256Map;
use alloy_primitives::{Address, Bytes, U256, keccak256};
use blockwright_types::{AccountChange, BlockPart, Changes};
use proptest::prelude::*;

use super::*;
use crate::fixture;

const ACCOUNTS: u8 = 6;
const SLOTS: u8 = 5;

/// The state as plain maps.
#[derive(Clone, Debug, Default)]
struct Model {
    accounts: BTreeMap<Address, (AccountPost, BTreeMap<U256, U256>)>,
    code: BTreeMap<B256, Bytes>,
}

impl Model {
    fn apply(&mut self, changes: &Changes) {
        for (hash, code) in &changes.code {
            self.code.insert(*hash, code.clone());
        }
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
            storage.extend(change.storage.iter().map(|(slot, value)| (*slot, *value)));
        }
    }

    fn assert_read_by(&self, view: &StateView) {
        for address in (0..ACCOUNTS).map(Address::with_last_byte) {
            let expected = self.accounts.get(&address);
            let post = expected.map(|(post, _)| *post);
            assert_eq!(view.account(&address), post);
            let info = view.basic_ref(address).unwrap();
            assert_eq!(
                info.map(|info| (info.balance, info.nonce, info.code_hash)),
                post.map(|post| (post.balance, post.nonce, post.code_hash))
            );
            if let Some(code) = post.and_then(|post| self.code.get(&post.code_hash)) {
                let hash = post.unwrap().code_hash;
                assert_eq!(view.code(&hash).as_ref(), Some(code));
                assert_eq!(view.code_by_hash_ref(hash).unwrap().original_bytes(), *code);
            }
            for slot in (0..SLOTS).map(U256::from) {
                let value = expected.and_then(|(_, storage)| storage.get(&slot));
                let value = value.copied().unwrap_or_default();
                assert_eq!(view.storage(&address, &slot), value, "{address} {slot}");
                assert_eq!(view.storage_ref(address, slot).unwrap(), value);
            }
        }
    }
}

/// Updates, deletions, wipes, re-creations and code of one account.
fn change() -> impl Strategy<Value = (Address, AccountChange, Option<Bytes>)> {
    let storage = prop::collection::vec((0..SLOTS, 0..4_u64), 0..4);
    let account = (0..5_u8, any::<u32>(), prop::option::of(0..3_u8));
    (0..ACCOUNTS, account, storage).prop_map(|(address, (kind, balance, code), storage)| {
        let code = code.map(|byte| Bytes::from(vec![0x60, byte]));
        let hash = code.as_ref().map_or(KECCAK256_EMPTY, keccak256);
        let exists = kind > 0;
        let slots = storage.into_iter();
        let change = AccountChange {
            post: exists.then_some(AccountPost {
                balance: U256::from(balance),
                nonce: u64::from(balance % 7),
                code_hash: hash,
            }),
            storage_wiped: kind < 2,
            storage: slots
                .filter(|_| exists)
                .map(|(slot, value)| (U256::from(slot), U256::from(value)))
                .collect::<U256Map<_>>(),
        };
        (
            Address::with_last_byte(address),
            change,
            code.filter(|_| exists),
        )
    })
}

fn changes() -> impl Strategy<Value = Changes> {
    prop::collection::vec(change(), 0..5).prop_map(|list| {
        let mut changes = Changes::default();
        for (address, change, code) in list {
            changes.accounts.insert(address, change);
            let code = code.map(|code| (keccak256(&code), code));
            changes.code.extend(code);
        }
        changes
    })
}

fn layer(pieces: Vec<Changes>) -> Layer {
    let pieces = pieces.into_iter().map(Arc::new).collect();
    let part = BlockPart::new(Vec::new(), Vec::new(), pieces);
    Layer::new(Arc::new(part), 0, B256::ZERO)
}

proptest! {
    /// The base is a stored state too, so that what hides it is tried.
    #[test]
    fn layers_read_as_all_changes_one_after_the_other(
        base in changes(),
        flashblocks in prop::collection::vec(prop::collection::vec(changes(), 0..3), 0..6),
    ) {
        let mut model = Model::default();
        model.apply(&base);
        let mut view = StateView::from(fixture::state(&base));
        model.assert_read_by(&view);
        for pieces in flashblocks {
            pieces.iter().for_each(|piece| model.apply(piece));
            view = view.under(layer(pieces));
            model.assert_read_by(&view);
        }
    }
}

#[test]
fn block_hashes_go_on_above_the_stored_block() {
    let stored = fixture::state(&Changes::default());
    let (number, hash) = (stored.number(), stored.hash());
    let view = StateView::from(stored);
    assert_eq!(view.block_hash_ref(number).unwrap(), hash);
    assert_eq!(view.block_hash_ref(number + 1).unwrap(), B256::ZERO);
    let (first, second) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let child = view.below_child(number + 1, first);
    let grandchild = child.below_child(number + 2, second);
    assert_eq!(grandchild.block_hash_ref(number).unwrap(), hash);
    assert_eq!(grandchild.block_hash_ref(number + 1).unwrap(), first);
    assert_eq!(grandchild.block_hash_ref(number + 2).unwrap(), second);
    assert_eq!(grandchild.block_hash_ref(number + 3).unwrap(), B256::ZERO);
    assert_eq!(child.block_hash_ref(number + 2).unwrap(), B256::ZERO);
}
