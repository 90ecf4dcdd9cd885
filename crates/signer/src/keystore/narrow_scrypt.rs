//! scrypt (RFC 7914) with blocks of 128 bytes, `r = 1`, and any number of them. The `scrypt` crate refuses
//! `n` from 2^16 on there, as the RFC says; older wallets of the Python world and the published example
//! of the Web3 definition have 2^18, and geth opens those.

use sha2::Sha256;
use zeroize::Zeroizing;

/// Two blocks of Salsa20.
type Block = [u32; 32];
const BLOCK_BYTES: usize = 128;

/// Salsa20's quarter rounds of one double round: columns, then rows.
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [5, 9, 13, 1],
    [10, 14, 2, 6],
    [15, 3, 7, 11],
    [0, 1, 2, 3],
    [5, 6, 7, 4],
    [10, 11, 8, 9],
    [15, 12, 13, 14],
];

/// Fills `derived`, with `2^log2_n` blocks of memory, `p` times.
pub(super) fn derive(password: &[u8], salt: &[u8], (log2_n, p): (u8, u32), derived: &mut [u8]) {
    let mut bytes = Zeroizing::new(vec![0; BLOCK_BYTES * p as usize]);
    pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, 1, &mut bytes);
    let mut memory = Zeroizing::new(vec![[0; 32]; 1 << log2_n]);
    for chunk in bytes.chunks_exact_mut(BLOCK_BYTES) {
        let mut block = Zeroizing::new([0; 32]);
        for (word, four) in block.iter_mut().zip(chunk.chunks_exact(4)) {
            *word = u32::from_le_bytes(four.try_into().expect("chunks of four"));
        }
        mix(&mut block, &mut memory);
        for (word, four) in block.iter().zip(chunk.chunks_exact_mut(4)) {
            four.copy_from_slice(&word.to_le_bytes());
        }
    }
    pbkdf2::pbkdf2_hmac::<Sha256>(password, &bytes, 1, derived);
}

/// scryptROMix. The number of blocks of memory is a power of two.
fn mix(block: &mut Block, memory: &mut [Block]) {
    for cell in memory.iter_mut() {
        *cell = *block;
        block_mix(block);
    }
    let mask = memory.len() - 1;
    for _ in 0..memory.len() {
        // The last 64 bytes as a little-endian number, of which no more than 32 bits count.
        let cell = &memory[block[16] as usize & mask];
        for (word, other) in block.iter_mut().zip(cell) {
            *word ^= other;
        }
        block_mix(block);
    }
}

/// scryptBlockMix.
fn block_mix(block: &mut Block) {
    let (first, second) = block.split_at_mut(16);
    xor(first, second);
    salsa20_8(first);
    xor(second, first);
    salsa20_8(second);
}

fn xor(words: &mut [u32], others: &[u32]) {
    for (word, other) in words.iter_mut().zip(others) {
        *word ^= other;
    }
}

fn salsa20_8(words: &mut [u32]) {
    let mut x: [u32; 16] = (&*words).try_into().expect("half of a block");
    for _ in 0..4 {
        for [a, b, c, d] in QUARTERS {
            x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
            x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
            x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
            x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
        }
    }
    for (word, mixed) in words.iter_mut().zip(x) {
        *word = word.wrapping_add(mixed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn it_is_scrypt_where_the_crate_has_it() {
        for (log2_n, p) in [(1, 1), (4, 1), (10, 3), (15, 2)] {
            let (mut ours, mut expected) = ([0; 32], [0; 32]);
            derive(b"pleaseletmein", b"SodiumChloride", (log2_n, p), &mut ours);
            let params = scrypt::Params::new(log2_n, 1, p, 32).unwrap();
            scrypt::scrypt(b"pleaseletmein", b"SodiumChloride", &params, &mut expected).unwrap();
            assert_eq!(ours, expected, "2^{log2_n}, {p} times");
        }
    }

    #[test]
    fn it_is_the_first_example_of_the_rfc() {
        let mut derived = [0; 8];
        derive(b"", b"", (4, 1), &mut derived);
        assert_eq!(derived, [0x77, 0xd6, 0x57, 0x62, 0x38, 0x65, 0x7b, 0x20]);
    }
}
