//! What must hold whatever a proposer sends as a beacon block.

use blockwright_builder_codec::{PayloadFork, RequestedBlock};

/// Decodes `input` as a beacon block of every fork. Returns as how many it was decoded.
///
/// # Panics
/// Where something does not hold, which is what a fuzzer looks for.
pub fn feed(input: &[u8]) -> usize {
    let forks = [
        PayloadFork::Bellatrix,
        PayloadFork::Capella,
        PayloadFork::Deneb,
    ];
    let decoded: Vec<RequestedBlock> = forks
        .into_iter()
        .filter_map(|fork| RequestedBlock::decode(fork, input).ok())
        .collect();
    for block in &decoded {
        assert_ne!(block.root, block.payload_root, "a body is around it");
        assert!(
            input.len() >= 84,
            "a slot, an index, two roots and an offset"
        );
        assert_eq!(&input[..8], block.slot.to_le_bytes().as_slice());
        assert!(
            input
                .windows(32)
                .any(|bytes| bytes == block.block_hash.as_slice()),
            "the block hash stands in it"
        );
    }
    decoded.len()
}
