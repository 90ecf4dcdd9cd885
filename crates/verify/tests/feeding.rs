//! The fuzz target over a fixed set of mutated frames: hostile input is refused, never a panic.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../../../fuzz/src/feed.rs"]
mod feed;
mod support;

use blockwright_types::OpFork;
use support::stream;

/// A small deterministic generator (xorshift).
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// Frames of two blocks of every third fork, and the golden ones.
fn seeds() -> Vec<Vec<u8>> {
    let forks = OpFork::ALL.into_iter().step_by(3);
    let streams = forks.flat_map(|fork| [stream(fork, 1, &[3, 1, 0]), stream(fork, 2, &[2])]);
    let frames = streams.flat_map(|stream| stream.flashblocks);
    let mut all: Vec<_> = frames.map(|f| serde_json::to_vec(&f).unwrap()).collect();
    let folder = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../flashblocks/tests/golden");
    let mut golden: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("v1_")
        })
        .collect();
    golden.sort();
    all.extend(golden.into_iter().map(|path| std::fs::read(path).unwrap()));
    all
}

/// Neighbouring frames, some of them changed, repeated, dropped or moved.
fn mutated(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let first = rng.below(seeds.len());
    let count = 1 + rng.below(7);
    let mut frames: Vec<Vec<u8>> = seeds.iter().skip(first).take(count).cloned().collect();
    for _ in 0..rng.below(5) {
        let at = rng.below(frames.len());
        match rng.below(8) {
            0 => frames.push(frames[at].clone()),
            1 => {
                let to = rng.below(frames.len());
                frames.swap(at, to);
            }
            2 => {
                let cut = rng.below(frames[at].len());
                frames[at].truncate(cut);
            }
            3 if frames[at].len() > 1 => {
                let place = rng.below(frames[at].len());
                frames[at][place] = rng.below(256) as u8;
            }
            4 if frames.len() > 1 => {
                frames.remove(at);
            }
            _ => change_digit(rng, &mut frames[at]),
        }
    }
    frames.join(&b'\n')
}

/// Another digit in place of a digit, so that the frame stays one.
fn change_digit(rng: &mut Rng, frame: &mut [u8]) {
    for _ in 0..50 {
        let place = rng.below(frame.len());
        if frame.get(place).is_some_and(u8::is_ascii_digit) {
            frame[place] = b'0' + rng.below(10) as u8;
            return;
        }
    }
}

#[test]
fn mutated_frames_never_break_the_verifier() {
    let seeds = seeds();
    let mut rng = Rng(0x5eed);
    let (mut accepted, mut clean) = (0, 0);
    for _ in 0..4_000 {
        let (more, fine) = feed::feed(&mutated(&mut rng, &seeds));
        accepted += more;
        clean += fine;
    }
    assert!(accepted > 2_000, "{accepted} frames were accepted");
    assert!(clean > 100 && clean < accepted, "{clean} were clean");
}

#[test]
fn noise_is_no_stream() {
    let mut rng = Rng(0xabcd);
    for length in 0..600 {
        let noise: Vec<u8> = (0..length).map(|_| rng.below(256) as u8).collect();
        assert_eq!(feed::feed(&noise), (0, 0));
    }
}
