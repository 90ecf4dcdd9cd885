//! The block that a fork choice is expected to name next, as the log will hold it.

use std::sync::{Arc, OnceLock};

use alloy_primitives::B256;
use blockwright_types::SealedBlock;
use parking_lot::Mutex;

use crate::log::BlockPayload;

/// One block's payload, made once by whoever needs it first; the other waits for it. Another block
/// takes its place.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    slot: Mutex<Option<(B256, Payload)>>,
    /// Of the payload before. A large block's payload takes longer to find fresh memory for than to
    /// write there.
    memory: Mutex<Vec<u8>>,
}

/// Most memory that is kept from one block to the next, in bytes.
const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;

type Payload = Arc<OnceLock<Arc<BlockPayload>>>;

impl Prepared {
    /// The payload of `block`, kept until it is taken.
    pub(super) fn make(&self, block: &SealedBlock) -> Arc<BlockPayload> {
        let payload = {
            let mut slot = self.slot.lock();
            match &*slot {
                Some((hash, payload)) if *hash == block.hash => Arc::clone(payload),
                _ => {
                    let payload = Payload::default();
                    *slot = Some((block.hash, Arc::clone(&payload)));
                    payload
                }
            }
        };
        self.encoded(&payload, block)
    }

    /// The payload of `block`, which is let go of if it was kept.
    pub(super) fn take(&self, block: &SealedBlock) -> Arc<BlockPayload> {
        let kept = self.slot.lock().take_if(|(hash, _)| *hash == block.hash);
        let payload = kept.map(|(_, payload)| payload).unwrap_or_default();
        self.encoded(&payload, block)
    }

    /// Takes back a payload that was written.
    pub(super) fn reuse(&self, payload: Arc<BlockPayload>) {
        if let Some(payload) = Arc::into_inner(payload) {
            let memory = payload.into_memory();
            if memory.capacity() <= MEMORY_BYTES_MAX {
                *self.memory.lock() = memory;
            }
        }
    }

    fn encoded(&self, payload: &Payload, block: &SealedBlock) -> Arc<BlockPayload> {
        let encode = || {
            let memory = std::mem::take(&mut *self.memory.lock());
            Arc::new(BlockPayload::of(block, memory))
        };
        Arc::clone(payload.get_or_init(encode))
    }
}
