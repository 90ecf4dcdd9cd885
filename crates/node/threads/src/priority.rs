//! Which of the node's threads give way to which.

use std::io;
use std::thread::JoinHandle;

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tracing::debug;

/// Threads beside the way of a block, which itself runs at the process's own priority, behind
/// [`Self::Answers`] and before all others. Where cores are short, those further up go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Hands built blocks to proposers. That takes a fraction of a millisecond, and is waited for while the
    /// block's deadline passes: behind the building of what can be handed out already it would be late for
    /// nothing.
    Answers,
    /// Sends flashblocks to subscribers: a crowd of them takes all it can get, and must not make the
    /// next flashblock late for everybody.
    Stream,
    /// Executes somebody else's flashblocks, so that public requests find the state they ask for.
    Preconfirmations,
    /// Follows the head: pool and indexes. The next block can be built without it, for a while.
    Follower,
    /// Reads and answers public requests; above intake, so that a full intake can still say so.
    Requests,
    /// Prepares and frees what is bounded and not needed at once.
    Upkeep,
    /// Takes in transactions. Whoever sends more than there is time for is refused here, before
    /// flashblocks come late.
    Intake,
}

impl Priority {
    /// The nice value, -20 to 19; others run at 0. Each step is about a fifth of the share of a busy
    /// core.
    const fn nice(self) -> i32 {
        match self {
            Self::Answers => -5,
            Self::Stream => 2,
            Self::Preconfirmations => 3,
            Self::Follower => 4,
            Self::Requests => 5,
            Self::Upkeep => 10,
            Self::Intake => 15,
        }
    }

    /// Gives the calling thread this priority. Lowering needs no privilege; where the process as a
    /// whole runs lower already, the thread stays as it is. Raising needs `CAP_SYS_NICE` or a limit
    /// (`RLIMIT_NICE`) that permits it; without, the thread stays at the process's own priority.
    pub fn take(self) {
        let nice = self.nice();
        // On Linux a priority belongs to the thread whose id is given, not to its process.
        if let Err(error) = setpriority_process(Some(gettid()), nice) {
            debug!(%error, nice, "thread priority stays as it is");
        }
    }
}

/// Starts a thread of this priority. Names are cut after 15 bytes by the system.
///
/// # Errors
/// Where the system has no more threads.
pub fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    priority: Priority,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            priority.take();
            work()
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    fn nice() -> i32 {
        getpriority_process(Some(gettid())).unwrap()
    }

    #[test]
    fn a_thread_gives_way_and_the_one_that_started_it_does_not() {
        let before = nice();
        let lowered = spawn("upkeep", Priority::Upkeep, nice).unwrap();
        assert_eq!(lowered.join().unwrap(), before.max(10));
        assert_eq!(nice(), before);
    }

    #[test]
    fn answers_go_first_where_that_is_permitted() {
        let before = nice();
        let raised = spawn("answers", Priority::Answers, nice).unwrap();
        assert!([Priority::Answers.nice(), before].contains(&raised.join().unwrap()));
        assert!(Priority::Answers.nice() < 0);
    }

    #[test]
    fn intake_goes_last() {
        let order = [
            Priority::Answers,
            Priority::Stream,
            Priority::Preconfirmations,
            Priority::Follower,
            Priority::Requests,
            Priority::Upkeep,
            Priority::Intake,
        ];
        assert!(order.is_sorted_by(|above, below| above.nice() < below.nice()));
    }
}
