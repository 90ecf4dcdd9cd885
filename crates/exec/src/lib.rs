//! blockwright-exec
