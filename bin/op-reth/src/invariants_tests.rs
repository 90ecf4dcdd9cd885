//! The builder's invariants over seeded random scripts on op-reth's database and trie: what tests/invariants.rs
//! checks on the embedded host.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../../tests/invariants/chain.rs"]
#[allow(dead_code)]
mod chain;
#[path = "../../../tests/invariants/from_scratch.rs"]
mod from_scratch;
#[path = "../../../tests/invariants/rules.rs"]
mod rules;
#[path = "../../../tests/invariants/script.rs"]
#[allow(dead_code)]
mod script;
#[path = "../../../tests/invariants/streamed.rs"]
mod streamed;
#[path = "../../../tests/invariants/timed.rs"]
mod timed;

use std::path::Path;
use std::sync::Arc;

use blockwright_core::{Best, PriorityOrder, RootsRule};
use blockwright_testkit::{
    ManualClock, RootsScript, Scenario, ScriptHost, ScriptPool, Transcript, check_replay, simulate,
};
use blockwright_types::{OpFork, UnixUs};
use reth_db::mdbx::DatabaseArguments;
use reth_db::{DatabaseEnv, init_db};
use reth_db_common::init::init_genesis;
use reth_node_api::NodeTypesWithDBAdapter;
use reth_optimism_chainspec::OpChainSpec;
use reth_optimism_node::OpNode;
use reth_optimism_txpool::OpPooledTransaction;
use reth_provider::providers::{BlockchainProvider, RocksDBBuilder, StaticFileProvider};
use reth_provider::{ProviderFactory, StateProviderFactory as _};
use reth_transaction_pool::noop::NoopTransactionPool;
use reth_trie_common::updates::TrieUpdates;

use self::chain::Chain;
use self::from_scratch::check_root_from_scratch;
use self::rules::{check, pool_transactions, require, rule};
use self::script::{Parent, scenario};
use self::timed::TimedHost;
use crate::host::RethHost;
use crate::roots::TrieArtifact;

type Types = NodeTypesWithDBAdapter<OpNode, DatabaseEnv>;
type Provider = BlockchainProvider<Types>;

/// op-reth's database at a chain's genesis.
struct Database {
    chain: Chain,
    provider: Provider,
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Database {
    fn new(fork: OpFork) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let provider = {
            let _entered = runtime.enter();
            open(folder.path(), fork)
        };
        Self {
            chain: Chain::new(fork),
            provider,
            _runtime: runtime,
            _folder: folder,
        }
    }

    fn run(&self, scenario: &Scenario, roots: RootsScript) -> Transcript<TrieArtifact> {
        let _entered = self._runtime.enter();
        // Scripts bring their own candidates.
        let pool = NoopTransactionPool::<OpPooledTransaction>::new();
        let host = RethHost::new(self.provider.clone(), pool, None);
        let clock = Arc::new(ManualClock::at(UnixUs(0)));
        let timed = TimedHost::new(host, Arc::clone(&clock));
        let host = ScriptHost::new(timed, ScriptPool::default(), roots);
        simulate(&host, &clock, Box::new(PriorityOrder), scenario).unwrap()
    }

    /// The roots are those of all accounts at once, and what the engine tree is given leads to them.
    fn check_roots(&self, best: &Best<TrieArtifact>) -> Result<(), String> {
        check_root_from_scratch(&self.chain, &best.block)?;
        let parent = self.provider.latest().map_err(|error| error.to_string())?;
        let hashed = best.artifact.hashed.as_ref().clone();
        let (root, mut nodes) = parent
            .state_root_with_updates(hashed)
            .map_err(|error| error.to_string())?;
        require(root == best.block.header.state_root, || {
            format!("at once the hashed state leads to {root}")
        })?;
        let mut gathered = best.artifact.nodes.as_ref().clone();
        // Scripted accounts have no stored nodes before the block. That they have none is said again of those whose
        // storage was empty in between.
        gathered.storage_tries.retain(|account, trie| {
            let says_nothing = trie.is_deleted && trie.storage_nodes.is_empty();
            !says_nothing || nodes.storage_tries.contains_key(account)
        });
        // A node that is there is written, whatever is said of its removal before.
        for updates in [&mut nodes, &mut gathered] {
            let there = &updates.account_nodes;
            updates
                .removed_nodes
                .retain(|path| !there.contains_key(path));
        }
        require(nodes == gathered, || differences(&nodes, &gathered))
    }
}

/// In what the nodes of a whole block and those gathered flashblock by flashblock differ.
fn differences(whole: &TrieUpdates, gathered: &TrieUpdates) -> String {
    let mut found = Vec::new();
    for (path, node) in &gathered.account_nodes {
        if whole.account_nodes.get(path) != Some(node) {
            found.push(format!(
                "gathered {path:?} {:x?}, whole {:x?}",
                node,
                whole.account_nodes.get(path)
            ));
        }
    }
    for path in whole
        .account_nodes
        .keys()
        .filter(|path| !gathered.account_nodes.contains_key(*path))
    {
        found.push(format!("not gathered: {path:?}"));
    }
    let removed = whole
        .removed_nodes
        .symmetric_difference(&gathered.removed_nodes);
    found.extend(removed.map(|path| format!("removed in one: {path:?}")));
    for (account, trie) in &gathered.storage_tries {
        if whole.storage_tries.get(account) != Some(trie) {
            found.push(format!(
                "storage of {account}: {trie:?}, whole {:?}",
                whole.storage_tries.get(account)
            ));
        }
    }
    for account in whole
        .storage_tries
        .keys()
        .filter(|account| !gathered.storage_tries.contains_key(*account))
    {
        found.push(format!(
            "storage of {account} not gathered: {:?}",
            whole.storage_tries[account]
        ));
    }
    found.join("\n")
}

fn open(folder: &Path, fork: OpFork) -> Provider {
    let genesis = serde_json::from_slice(&chain::genesis(fork)).unwrap();
    let database = init_db(folder.join("db"), DatabaseArguments::default()).unwrap();
    let files = folder.join("static_files");
    std::fs::create_dir_all(&files).unwrap();
    let rocks = RocksDBBuilder::new(folder.join("rocksdb")).with_default_tables();
    let factory = ProviderFactory::<Types>::new(
        database,
        Arc::new(OpChainSpec::from_genesis(genesis)),
        StaticFileProvider::read_write(files).unwrap(),
        rocks.build().unwrap(),
        reth_tasks::Runtime::test(),
    )
    .unwrap();
    init_genesis(&factory).unwrap();
    BlockchainProvider::new(factory).unwrap()
}

fn hold_over(fork: OpFork, seeds: std::ops::Range<u64>) {
    let database = Database::new(fork);
    let genesis = Parent::genesis(&database.chain);
    let count = seeds.end - seeds.start;
    let (mut busy, mut withdrew, mut rooted) = (0, 0, 0);
    for seed in seeds {
        let mut scenario = scenario(&database.chain, &genesis, seed);
        scenario.config.roots = rule(seed);
        let transcript = database.run(&scenario, RootsScript::Honest);
        check(fork, seed, &scenario, &transcript);
        let slots = transcript.plan.len();
        for published in &transcript.published {
            let index = published.publication.flashblock.index;
            if scenario.config.roots.covers(index, slots) {
                rooted += 1;
                database
                    .check_roots(&published.best)
                    .unwrap_or_else(|what| panic!("{fork}, seed {seed}, {index}: {what}"));
            }
        }
        if let Some(last) = transcript.published.last() {
            let untouched = genesis.header.withdrawals_root;
            withdrew += u64::from(last.best.block.header.withdrawals_root != untouched);
        }
        busy += u64::from(pool_transactions(&transcript) > 3);
    }
    assert!(busy > count / 3, "the scripts exercise the pool: {busy}");
    assert!(withdrew > count / 4, "and withdrawals: {withdrew}");
    assert!(rooted > count, "and roots: {rooted}");
}

#[test]
fn invariants_hold_at_karst() {
    hold_over(OpFork::Karst, 0..200);
}

#[test]
fn invariants_hold_at_isthmus() {
    hold_over(OpFork::Isthmus, 400..550);
}

#[test]
fn replay_is_byte_identical() {
    let database = Database::new(OpFork::Karst);
    let genesis = Parent::genesis(&database.chain);
    for seed in 1_000..1_040 {
        let mut scenario = scenario(&database.chain, &genesis, seed);
        scenario.config.roots = RootsRule::Every;
        let one = database.run(&scenario, RootsScript::Honest);
        let two = database.run(&scenario, RootsScript::Honest);
        check_replay(&one, &two).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
}

/// What was published before the roots failed stays valid.
#[test]
fn a_failed_root_leaves_a_valid_block() {
    let database = Database::new(OpFork::Karst);
    let genesis = Parent::genesis(&database.chain);
    for seed in 2_000..2_040 {
        let mut scenario = scenario(&database.chain, &genesis, seed);
        scenario.config.roots = RootsRule::Every;
        let at = seed % 5;
        let transcript = database.run(&scenario, RootsScript::FailAt(at));
        check(OpFork::Karst, seed, &scenario, &transcript);
        assert!(transcript.published.len() as u64 <= at);
        for published in &transcript.published {
            database
                .check_roots(&published.best)
                .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        }
    }
}
