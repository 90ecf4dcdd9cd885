//! The pinned frames of the dialect, as a watcher sees them.
#![allow(clippy::unwrap_used, clippy::panic)]

use blockwright_flashblocks::Dialect;
use blockwright_watch::{
    FindingKind, FlashblockSeen, Header, Heard, Monitor, MonitorRules, Recording, RecordingWriter,
    SealedBlock, WatchError, draw,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// The pinned frames in order of name.
fn golden() -> Vec<Heard> {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = std::path::Path::new(&package).join("../flashblocks/tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("v1_") && name.ends_with(".json")
        })
        .collect();
    files.sort();
    let frame = |(n, path): (usize, &std::path::PathBuf)| Heard {
        at_us: 1_000_000 + 200_000 * n as u64,
        dialect: Dialect::V1,
        frame: std::fs::read(path).unwrap().into(),
    };
    files.iter().enumerate().map(frame).collect()
}

/// One frame of index 0 and the frame that follows it, if there is one.
fn beginning() -> Vec<Heard> {
    let all = golden();
    let index = |heard: &Heard| {
        let value: serde_json::Value = serde_json::from_slice(&heard.frame).unwrap();
        (
            value["payload_id"].as_str().unwrap().to_owned(),
            value["index"].as_u64().unwrap(),
        )
    };
    let first = all.iter().find(|heard| index(heard).1 == 0).unwrap();
    let next = all.iter().find(|heard| index(heard) == (index(first).0, 1));
    std::iter::once(first).chain(next).cloned().collect()
}

#[test]
fn frames_become_blocks_with_times_and_sums() {
    let frames = beginning();
    let mut monitor = Monitor::new(MonitorRules::default());
    let seen: Vec<_> = frames.iter().map(|heard| monitor.hear(heard)).collect();
    assert!(seen.iter().all(|seen| seen.findings.is_empty()), "{seen:?}");
    let block = monitor.blocks().back().unwrap();
    assert_eq!(block.flashblocks.len(), frames.len());
    assert_eq!(block.number, seen[0].block_number);
    let transactions: usize = seen.iter().map(|seen| seen.transactions).sum();
    assert_eq!(block.transactions, transactions);
    assert_eq!(monitor.totals().transactions, transactions as u64);
    assert_eq!(seen[0].since_previous_ms, None);
    let bytes: usize = frames.iter().map(|heard| heard.frame.len()).sum();
    assert_eq!(monitor.totals().bytes, bytes as u64);
}

#[test]
fn what_is_wrong_is_named() {
    let frames = beginning();
    let mut monitor = Monitor::new(MonitorRules::default());
    let kinds = |seen: &blockwright_watch::FlashblockSeen| {
        let kinds: Vec<_> = seen.findings.iter().map(|finding| finding.kind).collect();
        kinds
    };
    let garbage = Heard {
        at_us: 5,
        dialect: Dialect::V1,
        frame: "{\"index\":".into(),
    };
    assert_eq!(kinds(&monitor.hear(&garbage)), [FindingKind::Undecodable]);
    monitor.hear(&frames[0]);
    assert_eq!(kinds(&monitor.hear(&frames[0])), [FindingKind::Duplicate]);
    let text = String::from_utf8(frames[0].frame.to_vec()).unwrap();
    let gas = monitor.blocks()[0].flashblocks[0].gas_used;
    let claimed = format!("\"gas_used\":\"0x{gas:x}\"");
    let changed = Heard {
        at_us: 9,
        dialect: Dialect::V1,
        frame: text.replace(&claimed, "\"gas_used\":\"0x1\"").into(),
    };
    assert_ne!(changed.frame, frames[0].frame);
    assert_eq!(kinds(&monitor.hear(&changed)), [FindingKind::Equivocation]);
    assert_eq!(monitor.totals().findings, 3);
}

fn of(seen: &FlashblockSeen) -> SealedBlock {
    SealedBlock {
        hash: seen.block_hash,
        receipts_root: seen.receipts_root,
        gas_used: seen.gas_used,
    }
}

/// The frame with zeros in place of what needs roots.
fn without_roots(heard: &Heard) -> Heard {
    let mut value: serde_json::Value = serde_json::from_slice(&heard.frame).unwrap();
    for field in ["state_root", "block_hash", "withdrawals_root"] {
        value["diff"][field] = format!("0x{:064}", 0).into();
    }
    Heard {
        at_us: heard.at_us,
        dialect: Dialect::V1,
        frame: value.to_string().into(),
    }
}

#[test]
fn a_flashblock_without_roots_is_compared_by_its_receipts() {
    let frames = beginning();
    let mut monitor = Monitor::new(MonitorRules::default());
    monitor.hear(&frames[0]);
    let seen = monitor.hear(&without_roots(&frames[1]));
    assert!(!seen.has_root && seen.block_hash.is_zero());
    assert!(seen.findings.is_empty());
    let sealed = SealedBlock {
        hash: alloy_primitives::B256::repeat_byte(9),
        ..of(&seen)
    };
    assert_eq!(monitor.sealed(seen.block_number, &sealed), Some(vec![]));
    let other = SealedBlock {
        gas_used: sealed.gas_used + 1,
        ..sealed
    };
    let finding = &monitor.sealed(seen.block_number, &other).unwrap()[0];
    assert_eq!(finding.kind, FindingKind::Sealed);
    let header = Header {
        source: String::new(),
        trouble: None,
    };
    let mut terminal = Terminal::new(TestBackend::new(160, 30)).unwrap();
    terminal
        .draw(|frame| draw(frame, &monitor, &header))
        .unwrap();
    assert!(terminal.backend().to_string().contains("no roots"));
}

#[test]
fn a_block_that_was_sealed_otherwise_is_found() {
    let frames = beginning();
    let mut monitor = Monitor::new(MonitorRules::default());
    let seen = monitor.hear(&frames[0]);
    let sealed = of(&seen);
    assert_eq!(monitor.sealed(seen.block_number, &sealed), Some(vec![]));
    assert_eq!(monitor.sealed(seen.block_number + 7, &sealed), None);
    let other = alloy_primitives::B256::repeat_byte(9);
    let sealed = SealedBlock {
        hash: other,
        ..sealed
    };
    let finding = &monitor.sealed(seen.block_number, &sealed).unwrap()[0];
    assert_eq!(finding.kind, FindingKind::Sealed);
    assert!(finding.text.contains(&other.to_string()));
}

#[test]
fn a_recording_gives_back_what_was_heard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames");
    let mut heard = golden();
    // Foreign servers may send JSON with line breaks.
    heard.push(Heard {
        at_us: 7,
        dialect: Dialect::V1,
        frame: "{\n\"index\": 0}\n".into(),
    });
    let mut writer = RecordingWriter::create(&path, Dialect::V1).unwrap();
    heard.iter().for_each(|heard| writer.write(heard).unwrap());
    assert!(matches!(
        RecordingWriter::create(&path, Dialect::V1),
        Err(WatchError::File { .. })
    ));
    let back: Vec<_> = Recording::open(&path)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let value =
        |heard: &Heard| -> serde_json::Value { serde_json::from_slice(&heard.frame).unwrap() };
    assert_eq!(back.len(), heard.len());
    for (before, after) in heard.iter().zip(&back) {
        assert_eq!((before.at_us, value(before)), (after.at_us, value(after)));
    }
    std::fs::write(&path, "1 {}\nnow {}\n").unwrap();
    let broken = Recording::open(&path).unwrap().nth(1).unwrap().unwrap_err();
    assert!(broken.to_string().contains("line 2"), "{broken}");
}

#[test]
fn the_screen_shows_blocks_flashblocks_and_findings() {
    let frames = beginning();
    let mut monitor = Monitor::new(MonitorRules::default());
    let seen = monitor.hear(&frames[0]);
    monitor.hear(&frames[0]);
    let header = Header {
        source: "ws://here:1111".to_owned(),
        trouble: None,
    };
    let mut terminal = Terminal::new(TestBackend::new(150, 40)).unwrap();
    terminal
        .draw(|frame| draw(frame, &monitor, &header))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let text: String = buffer.content().iter().map(|cell| cell.symbol()).collect();
    for expected in [
        "ws://here:1111",
        "connected",
        &seen.block_number.to_string(),
        &seen.block_hash.to_string(),
        "Duplicate: seen before",
    ] {
        assert!(text.contains(expected), "{expected:?} is not on the screen");
    }
    // A screen too small for anything is drawn, too.
    let mut tiny = Terminal::new(TestBackend::new(3, 2)).unwrap();
    tiny.draw(|frame| draw(frame, &monitor, &header)).unwrap();
}
