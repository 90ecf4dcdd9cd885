//! Which threads win the CPU.

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tracing::debug;

/// Lowers the calling thread's priority to `nice` (1 to 19, the lowest; others run at 0), so that
/// where cores are short the builder, the Engine API and the stream go first. Lowering needs no
/// privilege; where the process as a whole runs lower already, the thread stays as it is.
pub fn yield_to_builder(nice: i32) {
    // On Linux a priority belongs to the thread whose id is given, not to its process.
    if let Err(error) = setpriority_process(Some(gettid()), nice) {
        debug!(%error, nice, "thread priority cannot be lowered");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn lowers_the_calling_thread_alone() {
        let before = getpriority_process(None).unwrap();
        let lowered = std::thread::spawn(|| {
            yield_to_builder(19);
            getpriority_process(Some(gettid())).unwrap()
        });
        assert_eq!(lowered.join().unwrap(), 19);
        assert_eq!(getpriority_process(Some(gettid())).unwrap(), before);
    }
}
