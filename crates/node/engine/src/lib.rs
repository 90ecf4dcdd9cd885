//! blockwright-engine
