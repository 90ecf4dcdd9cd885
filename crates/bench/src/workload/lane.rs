//! The transactions of one connection as JSON-RPC text.

use alloy_primitives::B256;

/// Transactions a chunk: one job of a signing thread.
pub(crate) const CHUNK: u64 = 1_024;

/// Consecutive transactions of a connection, back to back.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    text: Vec<u8>,
    /// Where each request ends in `text`.
    ends: Vec<u32>,
    hashes: Vec<B256>,
}

impl Chunk {
    /// Appends the request with the id `id` that sends a transaction.
    pub(crate) fn push(&mut self, id: u64, hash: B256, bytes: &[u8]) {
        const HEAD: &str = r#"{"jsonrpc":"2.0","method":"eth_sendRawTransaction","id":"#;
        self.text.extend(HEAD.as_bytes());
        self.text.extend(id.to_string().as_bytes());
        self.text.extend(br#","params":["0x"#);
        let hex_start = self.text.len();
        self.text.resize(hex_start + 2 * bytes.len(), 0);
        // The space is exactly twice the bytes, the only thing `encode_to_slice` asks for.
        let _ = hex::encode_to_slice(bytes, &mut self.text[hex_start..]);
        self.text.extend(br#""]}"#);
        self.ends.push(self.text.len() as u32);
        self.hashes.push(hash);
    }

    pub(crate) fn shrink(mut self) -> Self {
        self.text.shrink_to_fit();
        self
    }

    fn request(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)? as usize;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends[before] as usize,
            None => 0,
        };
        self.text.get(start..end)
    }
}

/// All transactions of a connection, in their order.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    chunks: Vec<Chunk>,
}

impl Lane {
    pub(crate) const fn new(chunks: Vec<Chunk>) -> Self {
        Self { chunks }
    }

    fn at(&self, position: u64) -> Option<(&Chunk, usize)> {
        let chunk = self.chunks.get((position / CHUNK) as usize)?;
        Some((chunk, (position % CHUNK) as usize))
    }

    /// The request of the transaction at `position`.
    pub(crate) fn request(&self, position: u64) -> Option<&[u8]> {
        let (chunk, at) = self.at(position)?;
        chunk.request(at)
    }

    /// Its hash.
    pub(crate) fn hash(&self, position: u64) -> Option<B256> {
        let (chunk, at) = self.at(position)?;
        chunk.hashes.get(at).copied()
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        let chunk =
            |chunk: &Chunk| chunk.text.len() + 4 * chunk.ends.len() + 32 * chunk.hashes.len();
        self.chunks.iter().map(|held| chunk(held) as u64).sum()
    }
}
