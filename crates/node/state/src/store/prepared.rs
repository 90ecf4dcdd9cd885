//! The block that a fork choice is expected to name next, as the log will hold it.

use std::sync::{Arc, OnceLock};

use alloy_primitives::B256;
use blockwright_types::SealedBlock;
use parking_lot::Mutex;

use crate::log::BlockPayload;

/// One block's payload, made once by whoever needs it first; the other waits for it. Another block
/// takes its place.
#[derive(Debug, Default)]
pub(super) struct Prepared(Mutex<Option<(B256, Payload)>>);

type Payload = Arc<OnceLock<Arc<BlockPayload>>>;

impl Prepared {
    /// The payload of `block`, kept until it is taken.
    pub(super) fn make(&self, block: &SealedBlock) -> Arc<BlockPayload> {
        let payload = {
            let mut slot = self.0.lock();
            match &*slot {
                Some((hash, payload)) if *hash == block.hash => Arc::clone(payload),
                _ => {
                    let payload = Payload::default();
                    *slot = Some((block.hash, Arc::clone(&payload)));
                    payload
                }
            }
        };
        encoded(&payload, block)
    }

    /// The payload of `block`, which is let go of if it was kept.
    pub(super) fn take(&self, block: &SealedBlock) -> Arc<BlockPayload> {
        let kept = self.0.lock().take_if(|(hash, _)| *hash == block.hash);
        let payload = kept.map(|(_, payload)| payload).unwrap_or_default();
        encoded(&payload, block)
    }
}

fn encoded(payload: &Payload, block: &SealedBlock) -> Arc<BlockPayload> {
    Arc::clone(payload.get_or_init(|| Arc::new(BlockPayload::of(block))))
}
