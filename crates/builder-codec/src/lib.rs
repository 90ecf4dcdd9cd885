#![doc = include_str!("../README.md")]

mod around;
pub use around::UnsignedBlock;

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

mod transactions;
pub use transactions::TransactionsTree;
