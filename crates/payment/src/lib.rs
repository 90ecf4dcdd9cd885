#![doc = include_str!("../README.md")]

mod metrics;

mod payment;

mod payments;
pub use payments::{PaymentError, PaymentTerms, Payments, Recipient};
