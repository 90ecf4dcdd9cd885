//! Building in flashblocks, importing, and op-revm's own means agree on everything.

use std::sync::Arc;

use alloy_consensus::TxReceipt as _;
use alloy_primitives::B256;
use alloy_trie::TrieAccount;
use alloy_trie::root::ordered_trie_root_encoded;
use alloy_trie::root::state_root_unhashed;
use blockwright_exec::{Executed, execute_block};
use blockwright_seams::OpenBlock as _;
use blockwright_state::StateTrie;
use blockwright_types::{BlockContext, OpFork, SealedBlock, SharedTx};
use op_revm::constants::OPERATOR_FEE_RECIPIENT;
use proptest::prelude::*;
use revm::database::InMemoryDB;
use revm::state::AccountInfo;

use crate::reference;
use crate::script::{Step, Target, Writer, step, target};
use crate::world::{NO_ROOTS, all_of, context, include, open, state};

/// The state root from scratch, as revm's cache holds the state.
fn root_of(db: &InMemoryDB) -> B256 {
    let accounts = all_of(db)
        .accounts
        .into_iter()
        .filter_map(|(address, change)| {
            let post = change.post?;
            let slots = change
                .storage
                .into_iter()
                .map(|(slot, value)| (B256::from(slot), value));
            Some((
                address,
                TrieAccount {
                    nonce: post.nonce,
                    balance: post.balance,
                    storage_root: alloy_trie::root::storage_root_unhashed(slots),
                    code_hash: post.code_hash,
                },
            ))
        });
    state_root_unhashed(accounts)
}

/// Builds with a cut after every `cut_every` transactions and roots for each cut.
fn build(
    context: &BlockContext,
    db: &Arc<InMemoryDB>,
    txs: &[SharedTx],
    cut_every: usize,
) -> (Arc<SealedBlock>, StateTrie) {
    let mut trie = StateTrie::default();
    trie.apply(&all_of(db)).unwrap();
    let sequencer = txs.iter().take_while(|tx| tx.is_deposit()).count();
    let mut block = open(context.clone(), db, &txs[..sequencer]);
    let mut index = 0;
    for (position, tx) in txs[sequencer..].iter().enumerate() {
        include(&mut block, tx);
        // Pieces smaller than a part: later ones override earlier ones.
        if position % 2 == 0 {
            block
                .take_changes()
                .iter()
                .for_each(|changes| trie.apply(changes).unwrap());
        }
        if position % cut_every == cut_every - 1 {
            block
                .take_changes()
                .iter()
                .for_each(|changes| trie.apply(changes).unwrap());
            block.cut(index);
            index += 1;
        }
    }
    block
        .take_changes()
        .iter()
        .for_each(|changes| trie.apply(changes).unwrap());
    block.cut(index);
    for earlier in 0..index {
        block.seal(earlier, &NO_ROOTS);
    }
    let roots = trie.roots().unwrap();
    (block.seal(index, &roots).block, trie)
}

fn check_against_reference(
    block: &SealedBlock,
    imported: &Executed,
    outcomes: &[reference::Outcome],
) {
    let receipts: Vec<_> = block.receipts().cloned().collect();
    assert_eq!(receipts, imported.part.receipts);
    assert_eq!(receipts.len(), outcomes.len());
    for (receipt, outcome) in receipts.iter().zip(outcomes) {
        assert_eq!(receipt.status(), outcome.success);
        assert_eq!(receipt.cumulative_gas_used(), outcome.cumulative_gas);
        assert_eq!(receipt.logs(), outcome.logs);
    }
}

/// What a script runs on.
#[derive(Clone, Debug)]
struct Case {
    fork: OpFork,
    fee_recipient: Target,
    /// A fee vault exists and is empty, as only a genesis can have it.
    empty_vault: bool,
}

impl Case {
    fn new(fork: OpFork, fee_recipient: Target) -> Self {
        Self {
            fork,
            fee_recipient,
            empty_vault: false,
        }
    }

    fn state(&self) -> InMemoryDB {
        let mut db = state();
        if self.empty_vault {
            db.insert_account_info(OPERATOR_FEE_RECIPIENT, AccountInfo::default());
        }
        db
    }
}

fn agree(case: &Case, steps: &[Step], cut_every: usize) {
    let fork = case.fork;
    let mut writer = Writer::default();
    let txs: Vec<_> = steps.iter().map(|step| writer.write(step)).collect();
    let context = BlockContext {
        fee_recipient: case.fee_recipient.address(),
        ..context(fork)
    };
    let genesis = Arc::new(case.state());
    let (block, _) = build(&context, &genesis, &txs, cut_every);
    let imported = execute_block(context.clone(), Arc::clone(&genesis), &txs).unwrap();
    let mut after = case.state();
    let outcomes = reference::execute(&context, &mut after, &txs);

    check_against_reference(&block, &imported, &outcomes);
    assert_eq!(block.header.state_root, root_of(&after), "{fork}: built");
    let mut trie = StateTrie::default();
    trie.apply(&all_of(&genesis)).unwrap();
    trie.apply(&imported.part.net_changes()).unwrap();
    assert_eq!(trie.state_root(), root_of(&after), "{fork}: imported");
    // One revert set: the merged changes of the parts do the same.
    let mut trie = StateTrie::default();
    trie.apply(&all_of(&genesis)).unwrap();
    trie.apply(&block.changes()).unwrap();
    assert_eq!(trie.state_root(), root_of(&after), "{fork}: merged");

    let encoded: Vec<_> = txs.iter().map(|tx| tx.encoded.clone()).collect();
    let header = &block.header;
    assert_eq!(
        header.transactions_root,
        ordered_trie_root_encoded(&encoded)
    );
    assert_eq!(header.receipts_root, imported.totals.receipts_root);
    assert_eq!(header.logs_bloom, imported.totals.logs_bloom);
    assert_eq!(header.gas_used, imported.totals.gas_used);
    assert_eq!(block.value, imported.value);
}

pub(crate) fn fork() -> impl Strategy<Value = OpFork> {
    // Of each set of EVM rules one: Merge, Shanghai, Cancun, Prague twice, Osaka.
    proptest::sample::select(vec![
        OpFork::Regolith,
        OpFork::Canyon,
        OpFork::Fjord,
        OpFork::Isthmus,
        OpFork::Jovian,
        OpFork::Karst,
    ])
}

proptest! {
    #![proptest_config(crate::script::cases(320))]
    #[test]
    fn building_importing_and_op_revm_agree(
        fork in fork(),
        fee_recipient in target(),
        empty_vault in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..24),
        cut_every in 1..6usize,
    ) {
        let case = Case { fork, fee_recipient, empty_vault };
        agree(&case, &steps, cut_every);
    }
}

/// Deployed, destroyed and deployed again, in one block, with other slots each time.
#[test]
fn a_destroyed_and_recreated_account_starts_from_nothing() {
    let deploy = |from| Step::Deploy {
        from,
        salt: 1,
        value: 1,
    };
    let write = |from, slot| Step::ChildStore {
        from,
        salt: 1,
        slot,
        value: 2,
    };
    let destroy = |from| Step::Destroy { from, salt: 1 };
    let steps = [
        deploy(0),
        write(1, 2),
        destroy(2),
        deploy(1),
        write(0, 0),
        destroy(0),
        deploy(3),
    ];
    for cut_every in 1..6 {
        // Before Cancun the account goes; from Cancun on it stays, and the second deployment fails.
        // It may even be the one that earns the tips of the transactions that destroy it.
        for fork in [OpFork::Canyon, OpFork::Karst] {
            agree(&Case::new(fork, Target::Vault(0)), &steps, cut_every);
            agree(&Case::new(fork, Target::Child(1)), &steps, cut_every);
        }
    }
}
