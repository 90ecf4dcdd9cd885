//! Threads of their own for what the public asks.

use std::future::Future;

use blockwright_threads::Priority;
use tokio::runtime::{Builder, Runtime};

use crate::LaunchError;

/// Threads that read requests and write answers. Recovery has the pool's own threads and calls run on
/// blocking ones, so few suffice.
const THREADS_MAX: usize = 4;

/// Runs the public JSON-RPC servers, at a lower priority than the builder, the Engine API and the
/// stream, which so never stand in a queue behind a flood of requests. Ends when dropped.
pub(crate) struct RpcRuntime(Option<Runtime>);

impl RpcRuntime {
    pub(crate) fn start() -> Result<Self, LaunchError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(cores.min(THREADS_MAX))
            .thread_name("rpc")
            .on_thread_start(|| Priority::Requests.take())
            .enable_all()
            .build()
            .map_err(|source| LaunchError::Start {
                part: "rpc threads",
                source: Box::new(source),
            })?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `work` here; what it spawns stays here.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LaunchError>> + Send + 'static,
    ) -> Result<T, LaunchError> {
        let runtime = self.0.as_ref().expect("taken only when dropped");
        let done = runtime.spawn(work).await;
        done.map_err(|source| LaunchError::Start {
            part: "rpc threads",
            source: Box::new(source),
        })?
    }
}

impl Drop for RpcRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
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
        let runtime = RpcRuntime::start().unwrap();
        let name = runtime
            .run(async { Ok(std::thread::current().name().map(str::to_owned)) })
            .await;
        assert_eq!(name.unwrap().as_deref(), Some("rpc"));
        let panicked = runtime
            .run(async {
                let nothing: Vec<()> = Vec::new();
                nothing.first().unwrap();
                Ok(())
            })
            .await;
        assert!(matches!(panicked, Err(LaunchError::Start { .. })));
        drop(runtime);
    }
}
