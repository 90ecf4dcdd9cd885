//! The blocks that are being built.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use blockwright_builder_client::Wanted;
use blockwright_payload::PayloadEnvelope;
use tokio::sync::OnceCell;

/// A block that op-node had begun.
pub(crate) struct Job {
    pub(crate) wanted: Wanted,
    /// The builder's block, if that is the one to propose; decided once, so that whoever asks again gets the same.
    pub(crate) better: OnceCell<Option<PayloadEnvelope>>,
}

/// The last few of them, by payload id.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<VecDeque<(String, Arc<Job>)>>);

impl Jobs {
    /// op-node has one block in hand, and perhaps another after a change of its mind.
    const KEPT: usize = 8;

    /// Notes a block. One that is begun again goes on.
    pub(crate) fn begin(&self, id: String, wanted: Wanted) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.iter().any(|(known, _)| *known == id) {
            return;
        }
        jobs.truncate(Self::KEPT - 1);
        let better = OnceCell::new();
        jobs.push_front((id, Arc::new(Job { wanted, better })));
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Job>> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, job) = jobs.iter().find(|(known, _)| known == id)?;
        Some(Arc::clone(job))
    }
}
