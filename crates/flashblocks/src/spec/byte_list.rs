//! SSZ's `ByteList[N]` over shared bytes.

use alloy_primitives::{B256, Bytes};
use ssz::{Decode, DecodeError, Encode};
use tree_hash::{MerkleHasher, PackedEncoding, TreeHash, TreeHashType, mix_in_length};

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
        let mut hasher = MerkleHasher::with_leaves(BYTES_MAX.div_ceil(32));
        hasher
            .write(&self.0)
            .expect("the limit was checked when the list was made");
        let root = hasher
            .finish()
            .expect("the limit was checked when the list was made");
        mix_in_length(&root, self.0.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ssz_types::VariableList;
    use ssz_types::typenum::U64;

    use super::*;

    /// The generic list of single bytes is the judge.
    #[test]
    fn bytes_and_root_are_those_of_a_list_of_bytes() {
        for length in 0..=64_u8 {
            let bytes: Vec<u8> = (0..length).collect();
            let list = ByteList::<64>::try_from(Bytes::from(bytes.clone())).unwrap();
            let judge = VariableList::<u8, U64>::try_from(bytes).unwrap();
            assert_eq!(list.as_ssz_bytes(), judge.as_ssz_bytes(), "{length}");
            assert_eq!(list.ssz_bytes_len(), usize::from(length));
            assert_eq!(list.tree_hash_root(), judge.tree_hash_root(), "{length}");
            assert_eq!(
                ByteList::<64>::from_ssz_bytes(&judge.as_ssz_bytes()),
                Ok(list)
            );
        }
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let bytes = Bytes::from(vec![0; 65]);
        let error = ByteList::<64>::try_from(bytes.clone()).unwrap_err();
        assert_eq!(error.to_string(), "65 bytes exceed the limit of 64 bytes");
        assert!(ByteList::<64>::from_ssz_bytes(&bytes).is_err());
    }
}
