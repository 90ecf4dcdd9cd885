#![doc = include_str!("../README.md")]

mod slots;
pub use slots::{Full, Slot, Slots, account};

mod tls;
pub use tls::{TlsError, TlsIdentity};

pub use tokio_rustls::TlsAcceptor;
