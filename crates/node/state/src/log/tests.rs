//! The log under interrupted writes, damage and kill -9.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::*;
use crate::fixture::{self, Model, Rng, config, grow, head, open};
use crate::{BlockRef, ForkChoice, Store, StoreConfig};

/// A head with its state and where its fork choice ends in the log.
struct Acknowledged {
    head: BlockRef,
    model: Model,
    segment: u32,
    offset: u64,
}

/// Plays a chain with small reorgs and labels, some blocks written ahead, chosen afterwards or not;
/// returns what was acknowledged, in order.
fn play(directory: &Path, seed: u64, steps: usize) -> Vec<Acknowledged> {
    let mut rng = Rng(seed);
    let store = open(directory);
    let (genesis, start) = fixture::genesis();
    let mut known = vec![(genesis.hash, start)];
    let mut acknowledged = Vec::new();
    while acknowledged.len() < steps {
        let back = rng.below(3).min(known.len() as u64 - 1) as usize;
        let (mut parent, mut model) = known[known.len() - 1 - back].clone();
        for _ in 0..=rng.below(3) {
            let block = grow(&store, parent, &mut rng);
            if rng.below(2) == 0 {
                store.write_ahead(&block).unwrap();
            }
            if rng.below(4) == 0 {
                let never_chosen = grow(&store, parent, &mut rng);
                store.write_ahead(&never_chosen).unwrap();
            }
            model.apply(&block.changes());
            parent = block.hash;
            known.push((parent, model.clone()));
        }
        store.set_fork_choice(head(parent)).unwrap();
        let (segment, offset) = store.log_end();
        acknowledged.push(Acknowledged {
            head: store.head(),
            model,
            segment,
            offset,
        });
    }
    acknowledged
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.path().join(path.file_name().unwrap())).unwrap();
    }
    to
}

fn assert_recovers(directory: &Path, expected: Option<&Acknowledged>) {
    let store = open(directory);
    match expected {
        Some(expected) => {
            assert_eq!(store.head(), expected.head);
            expected.model.assert_read_by(&store, expected.head.hash);
        }
        None => assert_eq!(store.head().number, 0),
    }
    // It goes on from there, and that survives as well.
    let next = grow(&store, store.head().hash, &mut Rng(99));
    store.set_fork_choice(head(next.hash)).unwrap();
    drop(store);
    assert_eq!(open(directory).head().hash, next.hash);
}

/// Every record's segment, start and end.
fn records(directory: &Path) -> Vec<(u32, usize, usize)> {
    let mut found = Vec::new();
    for index in segment::list(directory).unwrap() {
        let bytes = fs::read(segment::path(directory, index)).unwrap();
        let mut offset = 0;
        while let Some(frame) = Frame::read(&bytes[offset..]) {
            found.push((index, offset, offset + frame.len()));
            offset += frame.len();
        }
    }
    found
}

/// What an interrupted write may leave behind a point: nothing, noise, or the end of the file.
#[derive(Clone, Copy, Debug)]
enum Tear {
    Zero,
    Noise(u64),
    Truncate,
}

fn tear(directory: &Path, segment: u32, offset: usize, how: Tear) {
    for index in segment::list(directory).unwrap() {
        let path = segment::path(directory, index);
        let start = match index.cmp(&segment) {
            std::cmp::Ordering::Less => continue,
            std::cmp::Ordering::Equal => offset,
            std::cmp::Ordering::Greater => 0,
        };
        let mut bytes = fs::read(&path).unwrap();
        match how {
            Tear::Zero => bytes[start..].fill(0),
            // Noise reaches as far as one batch could.
            Tear::Noise(seed) => {
                let mut rng = Rng(seed);
                bytes[start..].fill_with(|| rng.next() as u8);
            }
            Tear::Truncate if start == 0 => {
                fs::remove_file(&path).unwrap();
                continue;
            }
            Tear::Truncate => bytes.truncate(start),
        }
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn any_cut_gives_back_the_last_fork_choice_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let acknowledged = play(directory.path(), 1, 12);
    let records = records(directory.path());
    assert!(
        records.last().unwrap().0 >= 2,
        "several segments are in use"
    );
    let mut rng = Rng(4);
    for (count, (segment, start, end)) in records.iter().enumerate() {
        let inside = start + 1 + rng.below((end - start - 1) as u64) as usize;
        for (cut, offset) in [*start, inside, *end].into_iter().enumerate() {
            let how = match (count + cut) % 3 {
                0 => Tear::Zero,
                1 => Tear::Noise(rng.next()),
                _ => Tear::Truncate,
            };
            let torn = copy(directory.path());
            tear(torn.path(), *segment, offset, how);
            let expected = acknowledged
                .iter()
                .rfind(|at| (at.segment, at.offset) <= (*segment, offset as u64));
            assert_recovers(torn.path(), expected);
        }
    }
}

#[test]
fn a_hole_in_the_last_batch_is_a_torn_tail() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = play(directory.path(), 2, 6);
    let store = open(directory.path());
    let start = store.log_end();
    let mut rng = Rng(8);
    let mut tip = store.head().hash;
    for _ in 0..3 {
        tip = grow(&store, tip, &mut rng).hash;
    }
    store.set_fork_choice(head(tip)).unwrap();
    drop(store);
    let batch: Vec<_> = records(directory.path())
        .into_iter()
        .filter(|(segment, offset, _)| (*segment, *offset as u64) >= start)
        .collect();
    assert_eq!(batch.len(), 4);
    let before = acknowledged.pop().unwrap();
    // Any record of the batch may be missing while later ones reached the disk.
    for (segment, start, end) in batch {
        let torn = copy(directory.path());
        let path = segment::path(torn.path(), segment);
        let mut bytes = fs::read(&path).unwrap();
        bytes[start..end].fill(0);
        fs::write(&path, bytes).unwrap();
        assert_recovers(torn.path(), Some(&before));
    }
}

#[test]
fn damage_before_the_last_batch_is_an_error_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let acknowledged = play(directory.path(), 3, 10);
    let before_last = &acknowledged[acknowledged.len() - 2];
    let durable = records(directory.path())
        .into_iter()
        .filter(|(segment, _, end)| {
            (*segment, *end as u64) <= (before_last.segment, before_last.offset)
        });
    let mut rng = Rng(6);
    for (segment, start, end) in durable {
        let damaged = copy(directory.path());
        let path = segment::path(damaged.path(), segment);
        let mut bytes = fs::read(&path).unwrap();
        bytes[start + rng.below((end - start) as u64) as usize] ^= 1 << rng.below(8);
        fs::write(&path, bytes).unwrap();
        let error = fixture::open_with(config(damaged.path()), fixture::genesis().0).unwrap_err();
        match error {
            StateError::Corrupt { file, offset, .. } => {
                assert_eq!((file, offset), (path, start as u64));
            }
            other => panic!("record at {start} of segment {segment}: {other}"),
        }
    }
}

#[test]
fn a_missing_segment_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    play(directory.path(), 3, 10);
    let missing = segment::path(directory.path(), 1);
    fs::remove_file(&missing).unwrap();
    let error = fixture::open_with(config(directory.path()), fixture::genesis().0).unwrap_err();
    assert!(
        matches!(&error, StateError::Corrupt { file, .. } if *file == missing),
        "{error}"
    );
}

#[test]
fn blocks_below_the_window_come_back_from_the_log_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let small = StoreConfig {
        window_blocks: 4,
        window_blocks_max: 4,
        blocks_cached_max: 2,
        ..config(directory.path())
    };
    let (genesis, _) = fixture::genesis();
    let store = fixture::open_with(small.clone(), genesis.clone()).unwrap();
    let mut rng = Rng(11);
    let mut blocks = Vec::new();
    let mut tip = genesis.hash;
    for _ in 0..30 {
        let block = grow(&store, tip, &mut rng);
        tip = block.hash;
        store.set_fork_choice(head(tip)).unwrap();
        blocks.push(block);
    }
    let reopened = || fixture::open_with(small.clone(), genesis.clone()).unwrap();
    let check = |store: &Store| {
        for block in &blocks {
            let hash = block.hash;
            assert_eq!(store.contains(hash), block.header.number >= 26);
            let back = store.block_by_hash(hash).unwrap();
            assert_eq!(back.header, block.header);
            assert_eq!(back.header.hash_slow(), hash);
            assert_eq!(back.value, block.value);
            assert_eq!(back.changes(), block.changes());
            assert!(back.receipts().eq(block.receipts()));
            let bodies = |block: &SealedBlock| -> Vec<_> {
                block
                    .transactions()
                    .map(|tx| (tx.hash, tx.sender, tx.encoded.clone(), tx.da))
                    .collect()
            };
            assert_eq!(bodies(&back), bodies(block));
            let (found, index) = store.transaction(bodies(block)[0].0).unwrap();
            assert_eq!((found.hash, index), (hash, 0));
        }
    };
    check(&store);
    drop(store);
    check(&reopened());
}

#[test]
fn an_unchanged_fork_choice_writes_nothing_and_labels_survive() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let genesis = fixture::genesis().0.hash;
    let mut rng = Rng(12);
    let a = grow(&store, genesis, &mut rng).hash;
    let b = grow(&store, a, &mut rng).hash;
    let choice = ForkChoice {
        head: b,
        safe: a,
        finalized: genesis,
    };
    store.set_fork_choice(choice).unwrap();
    let end = store.log_end();
    let update = store.set_fork_choice(choice).unwrap();
    assert!(update.new.is_empty() && update.reverted.is_empty());
    store.set_fork_choice(head(b)).unwrap();
    assert_eq!(store.log_end(), end);
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.log_end(), end);
    assert_eq!(store.head(), BlockRef { number: 2, hash: b });
    assert_eq!(store.safe(), Some(BlockRef { number: 1, hash: a }));
    assert_eq!(store.finalized().unwrap().hash, genesis);
}

#[test]
fn a_block_written_ahead_is_not_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        segment_bytes: 1 << 20,
        ..config(directory.path())
    };
    let store = fixture::open_with(config, fixture::genesis().0).unwrap();
    let mut rng = Rng(1);
    let offset = || store.log_end().1;
    let labels_bytes = 200;
    for round in 0..8 {
        let parent = store.head().hash;
        let block = grow(&store, parent, &mut rng);
        let other = grow(&store, parent, &mut rng);
        let before = offset();
        store.write_ahead(&block).unwrap();
        let ahead = offset();
        assert!(ahead > before + labels_bytes);
        store.write_ahead(&block).unwrap();
        assert_eq!(offset(), ahead, "once is enough");
        if round % 2 == 0 {
            store.write_ahead(&other).unwrap();
        }
        let between = offset();
        store.set_fork_choice(head(block.hash)).unwrap();
        // Behind the other block it has to be written anew: a fork choice counts what is last.
        assert_eq!(offset() < between + labels_bytes, round % 2 == 1);
        let next = grow(&store, block.hash, &mut rng);
        let grandchild = grow(&store, next.hash, &mut rng);
        let before = offset();
        store.write_ahead(&grandchild).unwrap();
        assert_eq!(
            offset(),
            before,
            "only children of the head are written ahead"
        );
    }
    let (head, blocks) = (store.head(), store.head().number);
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.head(), head);
    for number in 1..=blocks {
        assert_eq!(store.block_by_number(number).unwrap().header.number, number);
    }
}

#[test]
fn a_block_larger_than_a_segment_is_written_and_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let code = alloy_primitives::Bytes::from(vec![0x5b; 20_000]);
    let mut changes = fixture::changes(&mut Rng(1));
    changes
        .code
        .insert(alloy_primitives::keccak256(&code), code);
    let (block, delta) = fixture::child(&store, store.head().hash, changes, 1);
    store.insert(Arc::clone(&block), delta).unwrap();
    store.set_fork_choice(head(block.hash)).unwrap();
    let next = grow(&store, block.hash, &mut Rng(2));
    store.set_fork_choice(head(next.hash)).unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.head().hash, next.hash);
    assert_eq!(store.block_by_number(1).unwrap().changes(), block.changes());
}

#[test]
fn a_directory_is_of_one_chain_and_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let (genesis, _) = fixture::genesis();
    let error = fixture::open_with(config(directory.path()), genesis.clone()).unwrap_err();
    assert!(matches!(error, StateError::Locked(_)), "{error}");
    drop(store);
    let mut other = genesis;
    other.hash = B256::repeat_byte(5);
    let error = fixture::open_with(config(directory.path()), other).unwrap_err();
    assert!(
        matches!(error, StateError::GenesisMismatch { .. }),
        "{error}"
    );
}

const CHILD_DIRECTORY: &str = "BLOCKWRIGHT_STATE_TEST_DIRECTORY";

/// Not a test by itself: the process that [`kill_9_loses_nothing_acknowledged`] starts and kills.
#[test]
fn appending_until_killed() {
    let Some(directory) = std::env::var_os(CHILD_DIRECTORY) else {
        return;
    };
    let store = open(Path::new(&directory));
    let mut rng = Rng(store.head().number);
    loop {
        let mut tip = store.head().hash;
        for _ in 0..=rng.below(3) {
            tip = grow(&store, tip, &mut rng).hash;
        }
        store.set_fork_choice(head(tip)).unwrap();
        println!("acknowledged {tip}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn kill_9_loses_nothing_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut rng = Rng(21);
    for _ in 0..5 {
        let spawning = fixture::SPAWNING.write();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "log::tests::appending_until_killed",
                "--nocapture",
            ])
            .env(CHILD_DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // `spawn` may return before the child has let go of the files it inherited; once it says
        // something, it has.
        lines.next().unwrap().unwrap();
        drop(spawning);
        let acknowledged = |line: &str| -> Option<B256> {
            let (_, hash) = line.split_once("acknowledged ")?;
            hash.parse().ok()
        };
        let mut last = None;
        let mut count = 0;
        let enough = 5 + rng.below(40);
        while count < enough {
            let line = lines.next().unwrap().unwrap();
            if let Some(hash) = acknowledged(&line) {
                last = Some(hash);
                count += 1;
            }
        }
        child.kill().unwrap();
        for line in lines.map_while(Result::ok) {
            last = acknowledged(&line).or(last);
        }
        child.wait().unwrap();
        let store = open(directory.path());
        let last = last.unwrap();
        let number = store
            .header(last)
            .expect("the acknowledged head is there")
            .number;
        assert!(store.is_canonical(last));
        // At most the one fork choice that was being written came on top.
        assert!(store.head().number <= number + 3);
    }
}
