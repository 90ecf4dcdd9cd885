//! Which thread of the meter goes first.

use rustix::process::setpriority_process;
use rustix::thread::gettid;

/// Gives the calling thread this nice value; `false` where the system does not permit it.
pub(crate) fn take(nice: i32) -> bool {
    setpriority_process(Some(gettid()), nice).is_ok()
}
