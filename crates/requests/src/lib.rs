#![doc = include_str!("../README.md")]

mod build_request;
pub use build_request::{Wanted, build_request};

mod decode;
pub use decode::{BadTransaction, decode_all};

mod error;
pub use error::RequestError;

mod given;
pub use given::{Asked, GivenAttributes};

mod metrics;

mod node;
pub use node::BuildingNode;

mod offer;
pub use offer::OfferedBlock;

mod release;
pub use release::ReleasedBlock;

mod requests;
pub use requests::{Requests, RequestsConfig, RequestsDeps};

mod streamed;
pub use streamed::Streamed;
