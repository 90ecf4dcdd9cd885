//! Memory that is in place before it is needed.

use bytes::BytesMut;

/// Most memory that one use sets aside, in bytes; what a run needs beyond is allocated as it comes.
const BYTES_MAX: u64 = 2 << 30;

/// Room for answers and frames that was written to before the run. The first write to a fresh page
/// stops for the system, on a virtual machine for up to 2 ms a megabyte, and would be measured as
/// the builder's time.
#[derive(Debug, Default)]
pub(crate) struct WarmMemory {
    /// As long as its capacity.
    free: BytesMut,
}

impl WarmMemory {
    /// `bytes` of memory, at most 2 GiB.
    pub(crate) fn of(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes.min(BYTES_MAX)).unwrap_or_default();
        let mut free = BytesMut::with_capacity(bytes);
        // Not zero, which the system would give without putting memory in place.
        free.resize(bytes, 0xff);
        Self { free }
    }

    /// An empty buffer with room for `bytes`.
    pub(crate) fn take(&mut self, bytes: usize) -> BytesMut {
        if self.free.len() < bytes {
            return BytesMut::with_capacity(bytes);
        }
        let mut buffer = self.free.split_to(bytes);
        buffer.clear();
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_lie_side_by_side_until_nothing_is_left() {
        let mut memory = WarmMemory::of(100);
        let mut first = memory.take(60);
        let at = first.as_ptr();
        first.extend_from_slice(&[1; 60]);
        assert_eq!(first.as_ptr(), at);
        let mut second = memory.take(40);
        second.extend_from_slice(&[2; 40]);
        assert_eq!(second.as_ptr(), at.wrapping_add(60));
        assert_eq!(first[..], [1; 60]);
        let mut beyond = memory.take(1);
        beyond.extend_from_slice(&[3]);
        assert_eq!(second[..], [2; 40]);
        assert!(WarmMemory::default().take(5).is_empty());
    }
}
