//! Dialect `spec`: SSZ containers with a hash chain.

mod byte_list;
pub use byte_list::{ByteList, TooLong};

mod containers;
pub use containers::{
    AccountMetadata, ExecutionPayloadFlashblockDeltaV1, ExecutionPayloadStaticV1,
    FlashblocksMetadata, FlashblocksPayloadV1, Optional, SPEC_VERSION, StorageSlot,
    TransactionMetadata, Withdrawal,
};

mod convert;

mod decode;
pub use decode::decode_spec;

mod encoder;
pub use encoder::{SpecEncoder, SpecFrame};

mod known;

mod limit;
pub use limit::ExceedsLimit;

mod merkle;
