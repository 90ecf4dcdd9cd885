//! How parts come to their end.

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Ready once everything is to stop.
pub async fn ended(mut stopped: watch::Receiver<bool>) {
    // An error says that whoever could tell is gone, which is an end as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Waits for the end of a part, and tells where it was no clean one.
pub async fn ended_cleanly(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "a part of the node did not end cleanly");
    }
}
