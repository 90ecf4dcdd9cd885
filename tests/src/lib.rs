//! blockwright-tests
