//! How far a lengthy preparation is.

/// Told of steps, from any thread.
pub trait Progress: Sync {
    /// `done` of `total` units of `what` are there.
    fn step(&self, what: &str, done: u64, total: u64);
}

/// Nobody looks.
impl Progress for () {
    fn step(&self, _what: &str, _done: u64, _total: u64) {}
}
