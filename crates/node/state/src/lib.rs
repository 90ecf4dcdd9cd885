//! blockwright-state
