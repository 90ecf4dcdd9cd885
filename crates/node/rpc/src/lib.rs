//! blockwright-rpc
