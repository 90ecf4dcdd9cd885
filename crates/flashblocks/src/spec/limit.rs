//! What the containers can hold at most.

use alloy_primitives::Bytes;
use ssz_types::VariableList;
use ssz_types::typenum::Unsigned;

use super::byte_list::ByteList;

/// More than a container of dialect `spec` can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of {found} exceeds the limit of {max}")]
pub struct ExceedsLimit {
    /// The container's field.
    pub field: &'static str,
    /// Items or bytes there are.
    pub found: usize,
    /// Items or bytes there may be.
    pub max: usize,
}

/// `items` as the list of a container's `field`.
pub(crate) fn list<T, N: Unsigned>(
    field: &'static str,
    items: Vec<T>,
) -> Result<VariableList<T, N>, ExceedsLimit> {
    let found = items.len();
    VariableList::new(items).map_err(|_| ExceedsLimit {
        field,
        found,
        max: N::to_usize(),
    })
}

/// `bytes` as those of a container's `field`.
pub(crate) fn byte_list<const BYTES_MAX: usize>(
    field: &'static str,
    bytes: &Bytes,
) -> Result<ByteList<BYTES_MAX>, ExceedsLimit> {
    ByteList::try_from(bytes.clone()).map_err(|too_long| ExceedsLimit {
        field,
        found: too_long.size_bytes,
        max: too_long.max_bytes,
    })
}
