//! Bytes that nobody meant as a flashblock: refused with a cause, or a flashblock after all.

use blockwright_flashblocks::decode_spec;
use ssz::Encode;

use crate::random::Rng;
use crate::spec_golden::encoded;

/// What is accepted encodes to the same bytes, and has a hash.
fn decode(bytes: &[u8]) -> bool {
    match decode_spec(bytes) {
        Ok(flashblock) => {
            assert_eq!(flashblock.as_ssz_bytes(), bytes);
            assert!(!flashblock.flash_hash().is_zero());
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut rng = Rng(0x5eed);
    for round in 0..20_000 {
        let length = rng.below(900);
        let mut bytes = rng.bytes(length);
        if let Some(version) = bytes.first_chunk_mut::<4>().filter(|_| round % 4 > 0) {
            *version = [0, 0, 0, 1];
        }
        assert!(!decode(&bytes), "round {round}");
    }
}

/// A frame ends with the outcomes of its transactions, and they with the optional address of the
/// last one's contract: cutting off either leaves another flashblock, and cutting elsewhere none.
#[test]
fn truncations_are_refused() {
    for (name, bytes, _) in encoded() {
        let outcomes = decode_spec(&bytes).unwrap().metadata.transactions;
        let address = outcomes
            .last()
            .map_or(0, |tx| 20 * usize::from(tx.contract_address.is_some()));
        let ends = [outcomes.ssz_bytes_len(), address].map(|cut| bytes.len() - cut);
        for length in 0..bytes.len() {
            let accepted = decode(&bytes[..length]);
            assert_eq!(accepted, ends.contains(&length), "{name}: {length} bytes");
        }
    }
}

/// Most changes of a byte give another flashblock; none gives one that is written differently.
#[test]
fn mutated_frames_are_refused_or_are_other_flashblocks() {
    let frames = encoded();
    let mut rng = Rng(0xbad);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..10_000_u64 {
        let mut bytes = frames[(round % frames.len() as u64) as usize].1.clone();
        for _ in 0..=rng.below(3) {
            mutate(&mut rng, &mut bytes);
        }
        if decode(&bytes) {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 1_000, "{accepted} accepted");
    assert!(refused > 1_000, "{refused} refused");
}

fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len() as u64) as usize;
    match rng.below(6) {
        0 => bytes[at] ^= 1 << rng.below(8),
        1 => bytes[at] = rng.next() as u8,
        2 => bytes.insert(at, rng.next() as u8),
        3 if bytes.len() > 1 => drop(bytes.remove(at)),
        4 => {
            let end = (at + 4).min(bytes.len());
            let value = (rng.next() as u32) >> rng.below(32);
            bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
        }
        _ => {
            let length = rng.below(64);
            let tail = rng.bytes(length);
            bytes.extend(tail);
        }
    }
}

/// Every offset of the container, and of what it contains, pointed elsewhere.
#[test]
fn no_word_of_a_frame_can_be_made_an_offset_that_panics() {
    for (_, bytes, _) in encoded() {
        for at in 4..bytes.len() - 4 {
            for value in [0, 1, bytes.len() as u32, u32::MAX] {
                let mut bytes = bytes.clone();
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
                decode(&bytes);
            }
        }
    }
}
