#![doc = include_str!("../README.md")]

mod answer;

mod bid;
pub use bid::Bid;

mod desk;
pub use desk::{BlindDesk, BlindDeskConfig};

mod error;
pub use error::{BlindError, ErrorCode, StoreError};

mod header;

mod metrics;

mod methods;
pub use methods::Method;

mod module;
pub use module::{BuilderRpc, builder_module, builder_subscription_module};

mod offers;

mod openrpc;
pub use openrpc::openrpc_document;

mod params;

mod registrations;

mod reveals;

mod source;
pub use source::{Head, NotOffered, OfferSource, OfferedBlock};

mod status;

mod stored;

mod trees;
