//! A payload whose start was asked for.

use std::sync::Arc;

use blockwright_types::PayloadId;
use tokio::sync::oneshot;

use crate::StartError;
use crate::ledger::{Ledger, Phase};

/// What the service says of a start.
pub(crate) type Reply<A> = Result<Arc<Ledger<A>>, StartError>;

/// A payload whose start was asked for: those asked for earlier come before it, those asked for later
/// behind it. Dropping this does not stop the job.
pub struct Starting<A> {
    pub(crate) id: PayloadId,
    pub(crate) answer: oneshot::Receiver<Reply<A>>,
}

impl<A: Clone + Send + Sync + 'static> Starting<A> {
    /// Waits until the first block can be resolved.
    ///
    /// # Errors
    /// [`StartError`]: there is no such payload then.
    pub async fn ready(self) -> Result<PayloadId, StartError> {
        let ledger = self.answer.await.map_err(|_| StartError::ShutDown)??;
        let mut phase = ledger.watch();
        let settled = phase
            .wait_for(|phase| !matches!(phase, Phase::Opening))
            .await
            .map_err(|_| StartError::ShutDown)?;
        match &*settled {
            Phase::Refused(error) => Err(error.clone()),
            Phase::Opening | Phase::Ready(_) => Ok(self.id),
        }
    }
}
