//! Payloads that are being imported, for fork choices that name them meanwhile.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;
use parking_lot::Mutex;
use tokio::sync::watch;

/// Which payloads are under way. As many as there are calls.
///
/// A sidecar does not wait for the builder's answer to newPayload before it passes on the fork choice
/// of that block. Answered with SYNCING, the builder would sit out the next block.
#[derive(Default)]
pub(crate) struct Arriving {
    /// Each import holds a sender; that it is gone is the news.
    imports: Mutex<B256Map<Vec<watch::Receiver<()>>>>,
}

/// A payload under way, until dropped.
pub(crate) struct Arrival {
    arriving: Arc<Arriving>,
    hash: B256,
    done: watch::Sender<()>,
}

impl Arriving {
    /// Notes that `hash` is being imported.
    pub(crate) fn enter(self: &Arc<Self>, hash: B256) -> Arrival {
        let (done, receiver) = watch::channel(());
        self.imports.lock().entry(hash).or_default().push(receiver);
        Arrival {
            arriving: Arc::clone(self),
            hash,
            done,
        }
    }

    /// Returns once the imports of `hash` that are under way now have ended, at once if there are none.
    pub(crate) async fn wait(&self, hash: &B256) {
        let imports = self.imports.lock().get(hash).cloned().unwrap_or_default();
        for mut import in imports {
            // Nothing is ever sent: this ends with the import.
            let _ = import.changed().await;
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut imports = self.arriving.imports.lock();
        let Some(of_hash) = imports.get_mut(&self.hash) else {
            return;
        };
        let mine = self.done.subscribe();
        of_hash.retain(|import| !import.same_channel(&mine));
        if of_hash.is_empty() {
            imports.remove(&self.hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_ready(future: std::pin::Pin<&mut impl Future>) -> bool {
        future
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn waits_for_the_imports_of_this_block_and_leaves_nothing_behind() {
        let arriving = Arc::new(Arriving::default());
        let (one, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let first = arriving.enter(one);
        let second = arriving.enter(one);
        assert!(is_ready(pin!(arriving.wait(&other))));
        let mut waiting = pin!(arriving.wait(&one));
        assert!(!is_ready(waiting.as_mut()));
        drop(first);
        assert!(!is_ready(waiting.as_mut()));
        drop(second);
        assert!(is_ready(waiting.as_mut()));
        assert!(is_ready(pin!(arriving.wait(&one))));
        assert!(arriving.imports.lock().is_empty());
    }
}
