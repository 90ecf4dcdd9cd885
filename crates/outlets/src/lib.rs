#![doc = include_str!("../README.md")]

mod attributes;

mod builder;
pub use builder::BuilderConfig;

mod builder_api;
pub use builder_api::BuilderApiSettings;

mod builder_rpc;
pub use builder_rpc::Proposers;

mod ending;
pub use ending::{ended, ended_cleanly};

mod error;
pub use error::OutletError;

mod key_source;
pub use key_source::{KeyFlags, KeySource};

mod listen;
pub use listen::Listen;

mod payment;
pub use payment::{PaymentSettings, Registered};

mod proposer_outlets;
pub use proposer_outlets::ProposerOutlets;

mod server_runtime;
pub use server_runtime::ServerRuntime;

mod stream;
pub use stream::StreamSettings;

mod tls_files;
pub use tls_files::{TlsFiles, TlsFlags};

pub use blockwright_attributes::AttributesUrl;
pub use blockwright_builder_codec::{ChainDomain, VersionNames};
pub use blockwright_flashblocks::MetadataDetail;
pub use blockwright_payment::PaymentTerms;
pub use blockwright_service::{RootsRule, ShareRule};
pub use blockwright_signer::{BlsPublicKey, SecretText};
pub use blockwright_stream::{ApiKey, RingLimits};
