#![doc = include_str!("../README.md")]

mod around;
pub use around::UnsignedBlock;

mod bid;
pub use bid::BidTrace;

mod block;
pub use block::{
    BeaconBlock, BeaconBlockBodyBellatrix, BeaconBlockBodyCapella, BeaconBlockBodyDeneb,
    BlockError, PayloadFork, RequestedBlock,
};

mod domain;
pub use domain::{
    ChainDomain, DOMAIN_APPLICATION_BUILDER, DOMAIN_BEACON_PROPOSER, DomainType,
    compute_signing_root, fee_recipient_root,
};

mod header;
pub use header::{
    ExecutionPayloadHeader, ExecutionPayloadHeaderBellatrix, ExecutionPayloadHeaderCapella,
    ExecutionPayloadHeaderDeneb, bid_root,
};

mod operations;
pub use operations::{
    Attestation, AttestationData, AttesterSlashing, BeaconBlockHeader, BlsToExecutionChange,
    Checkpoint, Deposit, DepositData, Eth1Data, IndexedAttestation, ProposerSlashing,
    SignedBeaconBlockHeader, SignedBlsToExecutionChange, SignedVoluntaryExit, SyncAggregate,
    VoluntaryExit,
};

mod payload;
pub use payload::{
    ExecutionPayloadBellatrix, ExecutionPayloadCapella, ExecutionPayloadDeneb, Transaction,
    TransactionTooLong, Transactions, Withdrawal, transactions_root,
};

mod request;
pub use request::{PAYLOAD_PATH, PayloadRequest, RequestMessage};

mod request_error;
pub use request_error::RequestError;

mod signing;
pub use signing::signing_digest;

mod transactions;
pub use transactions::TransactionsTree;

mod version;
pub use version::{UnknownVersionNames, VersionNames};
