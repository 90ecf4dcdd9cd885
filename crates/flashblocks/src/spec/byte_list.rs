//! SSZ's `ByteList[N]` over shared bytes.

use alloy_primitives::{B256, Bytes};
use ssz::{Decode, DecodeError, Encode};
use tree_hash::{PackedEncoding, TreeHash, TreeHashType};

use super::merkle::bytes_root;

/// Bytes of which there are at most `BYTES_MAX`.
///
/// A list of single bytes would be copied from a transaction's and hashed byte by byte; this one
/// shares them and hashes chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ByteList<const BYTES_MAX: usize>(Bytes);

/// More bytes than a [`ByteList`] can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{size_bytes} bytes exceed the limit of {max_bytes} bytes")]
pub struct TooLong {
    /// Bytes there are.
    pub size_bytes: usize,
    /// Bytes there may be.
    pub max_bytes: usize,
}

impl<const BYTES_MAX: usize> ByteList<BYTES_MAX> {
    /// The bytes.
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The bytes.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

const fn check<const BYTES_MAX: usize>(size_bytes: usize) -> Result<(), TooLong> {
    if size_bytes > BYTES_MAX {
        return Err(TooLong {
            size_bytes,
            max_bytes: BYTES_MAX,
        });
    }
    Ok(())
}

impl<const BYTES_MAX: usize> TryFrom<Bytes> for ByteList<BYTES_MAX> {
    type Error = TooLong;

    fn try_from(bytes: Bytes) -> Result<Self, TooLong> {
        check::<BYTES_MAX>(bytes.len())?;
        Ok(Self(bytes))
    }
}

impl<const BYTES_MAX: usize> Encode for ByteList<BYTES_MAX> {
    fn is_ssz_fixed_len() -> bool {
        false
    }

    fn ssz_bytes_len(&self) -> usize {
        self.0.len()
    }

    fn ssz_append(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl<const BYTES_MAX: usize> Decode for ByteList<BYTES_MAX> {
    fn is_ssz_fixed_len() -> bool {
        false
    }

    fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        check::<BYTES_MAX>(bytes.len())
            .map_err(|too_long| DecodeError::BytesInvalid(too_long.to_string()))?;
        Ok(Self(Bytes::copy_from_slice(bytes)))
    }
}

impl<const BYTES_MAX: usize> TreeHash for ByteList<BYTES_MAX> {
    fn tree_hash_type() -> TreeHashType {
        TreeHashType::List
    }

    /// Nothing packs a list into a chunk with others; its own chunk would be its root.
    fn tree_hash_packed_encoding(&self) -> PackedEncoding {
        PackedEncoding::from_slice(self.tree_hash_root().as_slice())
    }

    fn tree_hash_packing_factor() -> usize {
        1
    }

    fn tree_hash_root(&self) -> B256 {
        bytes_root(&self.0, BYTES_MAX)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ssz_types::VariableList;
    use ssz_types::typenum::{U32, U64, U1000, U16777216, U1073741824, Unsigned};

    use super::*;

    /// The generic list of single bytes is the judge.
    fn judge<const BYTES_MAX: usize, N: Unsigned>(lengths: impl Iterator<Item = usize>) {
        assert_eq!(BYTES_MAX, N::to_usize());
        for length in lengths {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8 ^ 0x5a).collect();
            let list = ByteList::<BYTES_MAX>::try_from(Bytes::from(bytes.clone())).unwrap();
            let judge = VariableList::<u8, N>::try_from(bytes).unwrap();
            assert_eq!(list.as_ssz_bytes(), judge.as_ssz_bytes(), "{length}");
            assert_eq!(list.ssz_bytes_len(), length);
            assert_eq!(list.tree_hash_root(), judge.tree_hash_root(), "{length}");
            let read = ByteList::<BYTES_MAX>::from_ssz_bytes(&judge.as_ssz_bytes());
            assert_eq!(read, Ok(list));
        }
    }

    #[test]
    fn bytes_and_root_are_those_of_a_list_of_bytes() {
        judge::<32, U32>(0..=32);
        judge::<64, U64>(0..=64);
        judge::<1000, U1000>(0..=1000);
        judge::<{ 1 << 24 }, U16777216>((0..300).chain([4_095, 4_096, 4_097, 100_000]));
        judge::<{ 1 << 30 }, U1073741824>((0..300).chain([4_095, 4_096, 4_097, 100_000]));
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let bytes = Bytes::from(vec![0; 65]);
        let error = ByteList::<64>::try_from(bytes.clone()).unwrap_err();
        assert_eq!(error.to_string(), "65 bytes exceed the limit of 64 bytes");
        assert!(ByteList::<64>::from_ssz_bytes(&bytes).is_err());
    }
}
