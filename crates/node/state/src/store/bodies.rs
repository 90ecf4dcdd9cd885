//! How many blocks stay in memory beside their states.

use std::collections::VecDeque;
use std::sync::Arc;

use blockwright_types::SealedBlock;

use super::layer::{Body, Layer};
use crate::log::Location;

/// The durable blocks that are in memory, in the order in which they became so. Above the limit
/// the oldest are let go of: they can be read back, and hardly anybody asks for them. The newest
/// stays whatever its size.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    held: VecDeque<(Arc<Layer>, Location, usize)>,
    size_bytes: usize,
}

impl Bodies {
    /// Notes that the block of `layer` is durable at `place`; returns the blocks let go of for it.
    pub(super) fn push(
        &mut self,
        layer: &Arc<Layer>,
        place: Location,
        size_bytes_max: usize,
    ) -> Vec<Arc<SealedBlock>> {
        if let Body::Held(block) = layer.body() {
            let size_bytes = block.memory_bytes();
            self.size_bytes += size_bytes;
            self.held.push_back((Arc::clone(layer), place, size_bytes));
        }
        let mut released = Vec::new();
        while self.size_bytes > size_bytes_max && self.held.len() > 1 {
            let Some((oldest, place, size_bytes)) = self.held.pop_front() else {
                break;
            };
            self.size_bytes -= size_bytes;
            released.extend(oldest.release_body(place));
        }
        released
    }

    /// Forgets layers that are gone.
    pub(super) fn forget(&mut self, gone: &[Arc<Layer>]) {
        for layer in gone {
            let found = self
                .held
                .iter()
                .position(|(held, ..)| Arc::ptr_eq(held, layer));
            if let Some((_, _, size_bytes)) = found.and_then(|index| self.held.remove(index)) {
                self.size_bytes -= size_bytes;
            }
        }
    }
}
