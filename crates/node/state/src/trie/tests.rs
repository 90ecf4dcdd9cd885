//! The trie against published vectors and against alloy-trie's builder from scratch.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alloy_primitives::map::B256Map;
use alloy_primitives::{Bytes, keccak256};
use alloy_trie::HashBuilder;
use proptest::prelude::*;

use super::*;

/// A value as it is, for tries that hold no RLP.
impl Leaf for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(value: &[u8]) -> alloy_rlp::Result<Self> {
        Ok(value.to_vec())
    }
}

/// A new value; an empty one removes the leaf.
impl Edit<Self> for Vec<u8> {
    fn removes(&self) -> bool {
        self.is_empty()
    }

    fn edit(&self, leaf: &mut Self, _source: &dyn NodeSource) -> Result<(), TrieError> {
        leaf.clone_from(self);
        Ok(())
    }
}

fn change(key: &[u8], value: &[u8]) -> Change<Vec<u8>> {
    Change {
        key: Nibbles::unpack(key),
        edit: value.to_vec(),
    }
}

fn put(trie: &mut Trie<Vec<u8>>, key: &[u8], value: &[u8]) {
    trie.apply(vec![change(key, value)], &NoNodes).unwrap();
}

fn from_scratch(content: &BTreeMap<Vec<u8>, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in content {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

/// All leaves with their whole keys, in order.
fn leaves<L: Leaf>(trie: &Trie<L>) -> Vec<(Nibbles, L)> {
    fn walk<L: Leaf>(link: &Link<L>, path: Nibbles, out: &mut Vec<(Nibbles, L)>) {
        match link {
            Link::Leaf(leaf, _) => out.push((path.join(&leaf.path), leaf.value.clone())),
            Link::Extension(extension, _) => {
                walk(&extension.child, path.join(&extension.path), out);
            }
            Link::Branch(branch, _) => {
                for (nibble, child) in branch.iter() {
                    walk(child, path.join(&Nibbles::from_nibbles([nibble])), out);
                }
            }
            Link::Blinded(hash) => panic!("blinded {hash}"),
        }
    }
    let mut out = Vec::new();
    if let Some(root) = &trie.root {
        walk(root, Nibbles::default(), &mut out);
    }
    out
}

/// The leaves as they were put.
fn packed(trie: &Trie<Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let leaves = leaves(trie).into_iter();
    leaves.map(|(key, v)| (key.pack().to_vec(), v)).collect()
}

fn lay(content: &mut BTreeMap<Vec<u8>, Vec<u8>>, key: Vec<u8>, value: Vec<u8>) {
    if value.is_empty() {
        content.remove(&key);
    } else {
        content.insert(key, value);
    }
}

/// The folder with published test data. Unset: the test is skipped, in CI it fails.
fn vectors(name: &str) -> Option<serde_json::Value> {
    let Some(folder) = std::env::var_os("BLOCKWRIGHT_BLOCKS") else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "BLOCKWRIGHT_BLOCKS is not set"
        );
        eprintln!("skipped: BLOCKWRIGHT_BLOCKS is not set");
        return None;
    };
    let path = PathBuf::from(folder).join("trie").join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&text).unwrap())
}

fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(hex) => alloy_primitives::hex::decode(hex).unwrap(),
        None => text.as_bytes().to_vec(),
    }
}

/// The vector's steps: a list in order, or an object whose order must not matter.
fn steps(input: &serde_json::Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let value = |value: &serde_json::Value| value.as_str().map(bytes).unwrap_or_default();
    match input {
        serde_json::Value::Array(pairs) => pairs
            .iter()
            .map(|pair| (value(&pair[0]), value(&pair[1])))
            .collect(),
        serde_json::Value::Object(pairs) => pairs
            .iter()
            .map(|(key, v)| (bytes(key), value(v)))
            .collect(),
        other => panic!("neither list nor object: {other}"),
    }
}

/// Plays a file of vectors. Returns the names of those whose keys are prefixes of each other:
/// tries with keys of one length, the only ones here, have no values in branches.
fn play(file: &str, secure: bool) -> Option<Vec<String>> {
    let cases = vectors(file)?;
    let mut skipped = Vec::new();
    for (name, case) in cases.as_object().unwrap() {
        let expected: B256 = case["root"].as_str().unwrap().parse().unwrap();
        let steps: Vec<_> = steps(&case["in"])
            .into_iter()
            .map(|(key, value)| match secure {
                true => (keccak256(key).to_vec(), value),
                false => (key, value),
            })
            .collect();
        let is_prefix = |a: &[u8]| {
            steps
                .iter()
                .any(|(b, _)| b.len() > a.len() && b.starts_with(a))
        };
        if steps.iter().any(|(key, _)| is_prefix(key)) {
            skipped.push(name.clone());
            continue;
        }
        let mut once = Trie::default();
        let mut rooted = Trie::default();
        for (key, value) in &steps {
            put(&mut once, key, value);
            put(&mut rooted, key, value);
            rooted.root();
        }
        assert_eq!(once.root(), expected, "{file}: {name}");
        assert_eq!(
            rooted.root(),
            expected,
            "{file}: {name}, with roots between"
        );
    }
    Some(skipped)
}

#[test]
fn real_blocks_trie_any_order() {
    let Some(skipped) = play("trieanyorder.json", false) else {
        return;
    };
    let mut skipped = skipped;
    skipped.sort_unstable();
    assert_eq!(skipped, ["dogs", "foo", "puppy", "smallValues", "testy"]);
}

#[test]
fn real_blocks_trie_secure_any_order() {
    assert!(play("trieanyorder_secureTrie.json", true).is_none_or(|skipped| skipped.is_empty()));
}

#[test]
fn real_blocks_trie_test() {
    let Some(mut skipped) = play("trietest.json", false) else {
        return;
    };
    skipped.sort_unstable();
    assert_eq!(
        skipped,
        ["branch-value-update", "emptyValues", "insert-middle-leaf"]
    );
}

#[test]
fn real_blocks_trie_secure_test() {
    assert!(play("trietest_secureTrie.json", true).is_none_or(|skipped| skipped.is_empty()));
}

#[test]
fn real_blocks_trie_hex_encoded_secure() {
    assert!(play("hex_encoded_securetrie_test.json", true).is_none_or(|s| s.is_empty()));
}

#[test]
fn real_blocks_trie_next_and_previous() {
    let Some(cases) = vectors("trietestnextprev.json") else {
        return;
    };
    for case in cases.as_object().unwrap().values() {
        let mut trie = Trie::default();
        for key in case["in"].as_array().unwrap() {
            put(&mut trie, key.as_str().unwrap().as_bytes(), b"x");
        }
        let keys: Vec<Vec<u8>> = leaves(&trie)
            .iter()
            .map(|(key, _)| key.pack().to_vec())
            .collect();
        for test in case["tests"].as_array().unwrap() {
            let [asked, previous, next] =
                [0, 1, 2].map(|item| test[item].as_str().unwrap().as_bytes().to_vec());
            let before = keys.iter().rfind(|key| **key < asked);
            let after = keys.iter().find(|key| **key > asked);
            assert_eq!(
                before.cloned().unwrap_or_default(),
                previous,
                "before {test}"
            );
            assert_eq!(after.cloned().unwrap_or_default(), next, "after {test}");
        }
    }
}

#[test]
fn small_roots_are_hashed_and_small_children_inlined() {
    // Two leaves of one byte each under short keys: every node is below 32 bytes.
    let mut trie = Trie::default();
    let mut content = BTreeMap::new();
    for (key, value) in [
        ([0x11, 0x11], [1]),
        ([0x11, 0x12], [2]),
        ([0x21, 0x12], [3]),
    ] {
        put(&mut trie, &key, &value);
        content.insert(key.to_vec(), value.to_vec());
        assert_eq!(trie.root(), from_scratch(&content));
    }
}

#[test]
fn a_clone_keeps_its_version() {
    let mut trie = Trie::default();
    let key = |n: u32| keccak256(n.to_be_bytes());
    for n in 0..500u32 {
        put(&mut trie, key(n).as_slice(), &n.to_be_bytes());
    }
    let root = trie.root();
    let before = trie.clone();
    for n in 0..500u32 {
        put(&mut trie, key(n).as_slice(), b"");
    }
    assert_eq!(trie.root(), EMPTY_ROOT_HASH);
    assert!(trie.is_empty());
    assert_eq!(before.settled_root(), root);
    assert_eq!(leaves(&before).len(), 500);
}

#[test]
fn many_changes_take_the_parallel_path_to_the_same_root() {
    let mut trie = Trie::default();
    let mut content = BTreeMap::new();
    for n in 0..3 * hash::PARALLEL_CHANGES_MIN {
        let key = keccak256(n.to_be_bytes());
        put(&mut trie, key.as_slice(), &n.to_be_bytes());
        content.insert(key.to_vec(), n.to_be_bytes().to_vec());
    }
    assert!(trie.pending >= hash::PARALLEL_CHANGES_MIN);
    assert_eq!(trie.root(), from_scratch(&content));
}

#[test]
fn large_batches_give_the_root_from_scratch() {
    let key = |n: u32| keccak256(n.to_be_bytes()).to_vec();
    let mut trie = Trie::default();
    let mut content = BTreeMap::new();
    // All new, then a mix of new, changed and removed ones, then all removed.
    let steps: [fn(u32) -> Vec<u8>; 3] = [
        |n| vec![1; 1 + n as usize % 120],
        |n| vec![2; [0, 5, 70][n as usize % 3]],
        |_| Vec::new(),
    ];
    for (step, value) in steps.into_iter().enumerate() {
        let numbers = (0..4000 + 2000 * step as u32).filter(|n| step != 1 || n % 5 != 0);
        let mut changes = Vec::new();
        for n in numbers {
            changes.push(change(&key(n), &value(n)));
            lay(&mut content, key(n), value(n));
        }
        trie.apply(changes, &NoNodes).unwrap();
        assert_eq!(packed(&trie), content);
        assert_eq!(trie.root(), from_scratch(&content));
    }
    assert!(trie.is_empty());
}

#[test]
fn removing_absent_leaves_changes_nothing() {
    let mut trie = Trie::default();
    for n in 0..100u32 {
        put(&mut trie, keccak256(n.to_be_bytes()).as_slice(), b"x");
    }
    trie.root();
    let absent = (100..200u32).map(|n| change(keccak256(n.to_be_bytes()).as_slice(), b""));
    trie.apply(absent.collect(), &NoNodes).unwrap();
    assert!(trie.is_settled());
}

/// Stores the RLP of every node that is referred to by hash.
fn preimages(content: &BTreeMap<Vec<u8>, Vec<u8>>) -> B256Map<Bytes> {
    use alloy_trie::proof::ProofRetainer;
    let targets = content.keys().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets));
    for (key, value) in content {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root();
    builder
        .take_proof_nodes()
        .into_inner()
        .into_values()
        .map(|rlp| (keccak256(&rlp), rlp))
        .collect()
}

#[test]
fn a_missing_node_is_named() {
    let content: BTreeMap<_, _> = (0..50u8)
        .map(|n| (keccak256([n]).to_vec(), vec![n; 40]))
        .collect();
    let root = from_scratch(&content);
    let mut trie = Trie::<Vec<u8>>::blinded(root);
    let hash = keccak256([0]);
    let key = Nibbles::unpack(hash);
    let error = TrieError::MissingNode(root);
    assert_eq!(trie.read(&key, &NoNodes, Vec::clone).unwrap_err(), error);
    for value in [&b""[..], b"new"] {
        let changes = vec![change(hash.as_slice(), value)];
        assert_eq!(trie.apply(changes, &NoNodes).unwrap_err(), error);
    }
}

#[test]
fn malformed_nodes_are_errors() {
    let good = preimages(&BTreeMap::from([
        (vec![1; 32], vec![1; 40]),
        (vec![2; 32], vec![2; 40]),
    ]));
    let key = Nibbles::unpack([1; 32]);
    for (hash, rlp) in &good {
        for cut in 0..rlp.len() {
            let source = B256Map::from_iter([(*hash, rlp.slice(..cut))]);
            let trie = Trie::<Vec<u8>>::blinded(*hash);
            let result = trie.read(&key, &source, Vec::clone);
            assert!(
                matches!(result, Err(TrieError::MalformedNode { .. })),
                "cut at {cut}: {result:?}"
            );
        }
    }
}

/// Short keys out of a small alphabet make deep shared paths, splits and merges likely.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let nibble = prop_oneof![Just(0u8), Just(1), Just(15)];
    prop::collection::vec((nibble.clone(), nibble), 4)
        .prop_map(|nibbles| nibbles.into_iter().map(|(a, b)| a << 4 | b).collect())
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => Just(Vec::new()),
        2 => prop::collection::vec(1u8.., 1..4),
        1 => prop::collection::vec(any::<u8>(), 33..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_script_of_changes_gives_the_root_from_scratch(
        steps in prop::collection::vec((key(), value(), any::<bool>()), 1..80)
    ) {
        let mut trie = Trie::default();
        let mut content = BTreeMap::new();
        for (key, value, check) in steps {
            put(&mut trie, &key, &value);
            lay(&mut content, key, value);
            if check {
                prop_assert_eq!(trie.root(), from_scratch(&content));
            }
        }
        prop_assert_eq!(trie.root(), from_scratch(&content));
        prop_assert_eq!(packed(&trie), content);
    }

    #[test]
    fn a_trie_out_of_preimages_behaves_as_one_in_memory(
        start in prop::collection::btree_map(key(), value().prop_filter("present", |v| !v.is_empty()), 1..40),
        steps in prop::collection::vec((key(), value()), 1..30)
    ) {
        let source = preimages(&start);
        let mut content = start.clone();
        let mut trie = Trie::<Vec<u8>>::blinded(from_scratch(&start));
        for (key, value) in steps {
            let nibbles = Nibbles::unpack(&key);
            prop_assert_eq!(trie.read(&nibbles, &source, Vec::clone).unwrap(), content.get(&key).cloned());
            trie.apply(vec![change(&key, &value)], &source).unwrap();
            lay(&mut content, key, value);
            prop_assert_eq!(trie.root(), from_scratch(&content));
        }
    }

    /// Batches onto forks of earlier versions, some rooted and some not: every version keeps its
    /// content, whatever is done to its relatives.
    #[test]
    fn batches_on_forks_of_versions_give_the_roots_from_scratch(
        batches in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::collection::btree_map(key(), value(), 0..40), any::<bool>()),
            1..20,
        )
    ) {
        let mut versions = vec![(Trie::default(), BTreeMap::new())];
        for (parent, batch, check) in batches {
            let (mut trie, mut content) = parent.get(&versions).clone();
            // Not in the order of the keys.
            let changes = batch.iter().rev().map(|(key, value)| change(key, value)).collect();
            trie.apply(changes, &NoNodes).unwrap();
            for (key, value) in batch {
                lay(&mut content, key, value);
            }
            if check {
                prop_assert_eq!(trie.root(), from_scratch(&content));
            }
            versions.push((trie, content));
        }
        for (mut trie, content) in versions {
            prop_assert_eq!(&packed(&trie), &content);
            prop_assert_eq!(trie.root(), from_scratch(&content));
        }
    }

    #[test]
    fn a_batch_on_a_trie_out_of_preimages_gives_the_root_from_scratch(
        start in prop::collection::btree_map(key(), value().prop_filter("present", |v| !v.is_empty()), 1..40),
        batches in prop::collection::vec(prop::collection::btree_map(key(), value(), 1..20), 1..4)
    ) {
        let source = preimages(&start);
        let mut content = start.clone();
        let mut trie = Trie::<Vec<u8>>::blinded(from_scratch(&start));
        for batch in batches {
            let changes = batch.iter().map(|(key, value)| change(key, value)).collect();
            trie.apply(changes, &source).unwrap();
            for (key, value) in batch {
                lay(&mut content, key, value);
            }
            prop_assert_eq!(trie.root(), from_scratch(&content));
        }
    }
}
