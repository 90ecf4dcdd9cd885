//! blockwright-testkit
