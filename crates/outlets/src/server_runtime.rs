//! Threads of their own for what is beside the way of a block.

use std::future::Future;

use blockwright_threads::Priority;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::OutletError;

/// Threads that wait for sockets and copy to and from them. What takes long (recovery, calls,
/// compression) has others, so few suffice.
const THREADS_MAX: usize = 4;

/// Runs servers on threads that the builder and the Engine API have no part in, which so never stand in a queue
/// behind a flood of requests or a crowd of subscribers. Ends when dropped.
pub struct ServerRuntime {
    part: &'static str,
    /// There until the drop.
    runtime: Option<Runtime>,
}

impl ServerRuntime {
    /// Threads called `part`. Those that go before the builder are at most half as many as there are cores, so
    /// that whatever is asked of them leaves it the others.
    ///
    /// # Errors
    /// [`OutletError::Start`] where the system has no threads.
    pub fn start(part: &'static str, priority: Priority) -> Result<Self, OutletError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match priority {
            Priority::Answers => (cores / 2).max(1),
            _ => cores,
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.min(THREADS_MAX))
            .thread_name(part)
            .on_thread_start(move || priority.take())
            .enable_all()
            .build()
            .map_err(|error| OutletError::start(part, error))?;
        Ok(Self {
            part,
            runtime: Some(runtime),
        })
    }

    /// Starts `work` here; what it spawns stays here.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let runtime = self.runtime.as_ref();
        runtime.expect("taken only when dropped").spawn(work)
    }

    /// Runs `work` here and waits for it.
    ///
    /// # Errors
    /// What `work` says, or that it panicked.
    pub async fn run<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<OutletError> + Send + 'static,
    {
        let done = self.spawn(work).await;
        done.map_err(|error| OutletError::start(self.part, error))?
    }
}

impl Drop for ServerRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The plain drop waits for blocking work, which async code must not do.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_runs_on_its_own_threads_which_may_end_from_async_code() {
        let runtime = ServerRuntime::start("rpc", Priority::Requests).unwrap();
        let name = runtime
            .run(async { Ok::<_, OutletError>(std::thread::current().name().map(str::to_owned)) })
            .await;
        assert_eq!(name.unwrap().as_deref(), Some("rpc"));
        let panicked = runtime
            .run(async {
                let nothing: Vec<()> = Vec::new();
                nothing.first().unwrap();
                Ok::<_, OutletError>(())
            })
            .await;
        assert!(matches!(panicked, Err(OutletError::Start { .. })));
        drop(runtime);
    }
}
