//! What computes the roots.

use blockwright_types::{Changes, Roots};

/// The state of a block under construction, on the thread that computes its roots.
pub trait RootState {
    /// The host's own trie delta of everything applied so far.
    type Delta: Send + 'static;

    /// Lays post-values over the state.
    ///
    /// # Errors
    /// What went wrong, for an operator; the state is not used again then.
    fn apply(&mut self, changes: &Changes) -> Result<(), String>;

    /// The roots of everything applied so far.
    ///
    /// # Errors
    /// As [`Self::apply`].
    fn close(&mut self) -> Result<(Roots, Self::Delta), String>;
}
