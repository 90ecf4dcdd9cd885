#![doc = include_str!("../README.md")]

mod allowance;
pub use allowance::Allowance;

mod slots;
pub use slots::{Full, Slot, Slots, account};

mod tls;
pub use tls::{TlsError, TlsIdentity};

pub use tokio_rustls::TlsAcceptor;
