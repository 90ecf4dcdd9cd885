//! blockwright-core
