//! blockwright-chain
