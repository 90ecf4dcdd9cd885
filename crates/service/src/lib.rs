//! blockwright-service
