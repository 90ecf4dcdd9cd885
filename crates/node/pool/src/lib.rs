//! blockwright-pool
