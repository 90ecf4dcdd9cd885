//! Many keccak256 hashes at once: the one place to gain from hashing messages side by side.

use alloy_primitives::{B256, keccak256};

/// Hashes every message and gives each hash with the message's position.
pub(crate) fn keccak256_each<M: AsRef<[u8]>>(messages: &[M], mut put: impl FnMut(usize, B256)) {
    for (position, message) in messages.iter().enumerate() {
        put(position, keccak256(message));
    }
}

/// The hashes of all messages, in their order.
pub(crate) fn keccak256_all<M: AsRef<[u8]>>(messages: &[M]) -> Vec<B256> {
    let mut hashes = Vec::with_capacity(messages.len());
    keccak256_each(messages, |_, hash| hashes.push(hash));
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lengths around one, two and five blocks, in groups of every size and mix.
    #[test]
    fn hashes_are_those_of_one_message_at_a_time() {
        let bytes: Vec<u8> = (0..700u32).map(|n| (n * 7 + n / 256) as u8).collect();
        for stride in [1, 8, 61] {
            for count in 0..40 {
                let messages: Vec<&[u8]> = (0..count)
                    .map(|n| &bytes[n..][..(n * stride + count) % 600])
                    .collect();
                let expected: Vec<B256> = messages.iter().map(keccak256).collect();
                assert_eq!(keccak256_all(&messages), expected, "{stride} {count}");
            }
        }
        for length in 0..=280 {
            let message = &bytes[..length];
            assert_eq!(
                keccak256_all(&[message, message]),
                [keccak256(message); 2],
                "{length}"
            );
        }
    }
}
