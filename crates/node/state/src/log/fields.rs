//! Fields of records.

use alloy_primitives::B256;

/// Bytes that passed their checksum and still are no record of this format.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("a record ends early")]
    Short,
    #[error("a record has bytes left over")]
    Long,
    #[error("{0}")]
    Rlp(#[from] alloy_rlp::Error),
    #[error("a transaction cannot be decoded: {0}")]
    Transaction(#[from] alloy_eips::eip2718::Eip2718Error),
}

pub(super) fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (field, rest) = bytes.split_at_checked(length).ok_or(Malformed::Short)?;
    *bytes = rest;
    Ok(field)
}

pub(super) fn byte(bytes: &mut &[u8]) -> Result<u8, Malformed> {
    take(bytes, 1)?.first().copied().ok_or(Malformed::Short)
}

pub(super) fn hash(bytes: &mut &[u8]) -> Result<B256, Malformed> {
    take(bytes, 32).map(B256::from_slice)
}

pub(super) fn number(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let field = take(bytes, 8)?.try_into().map_err(|_| Malformed::Short)?;
    Ok(u64::from_le_bytes(field))
}

pub(super) fn put_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn count(bytes: &mut &[u8]) -> Result<u32, Malformed> {
    let field = take(bytes, 4)?.try_into().map_err(|_| Malformed::Short)?;
    Ok(u32::from_le_bytes(field))
}

pub(super) fn put_count(count: usize, out: &mut Vec<u8>) {
    let count = u32::try_from(count).expect("a record is below 4 GiB");
    out.extend_from_slice(&count.to_le_bytes());
}

/// A string with its length before it.
pub(super) fn bytes<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = count(bytes)? as usize;
    take(bytes, length)
}

pub(super) fn put_bytes(string: &[u8], out: &mut Vec<u8>) {
    put_count(string.len(), out);
    out.extend_from_slice(string);
}

/// A string that `write` appends, with its length before it.
pub(super) fn put_written(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put_count(0, out);
    write(out);
    let length = u32::try_from(out.len() - start - 4).expect("a record is below 4 GiB");
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Everything must have been read.
pub(super) const fn end(bytes: &[u8]) -> Result<(), Malformed> {
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(Malformed::Long)
    }
}
