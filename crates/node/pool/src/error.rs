//! Why a transaction is not taken.

use alloy_primitives::{Address, B256, U256};

/// A refused transaction. Messages begin with the texts that wallets know from geth.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// No head is known yet, so nothing can be checked.
    #[error("the node has no head block yet")]
    NotReady,
    /// Too many transactions wait for their check.
    #[error("transaction intake is full ({waiting} waiting), try again")]
    IntakeFull {
        /// Transactions waiting or being worked on.
        waiting: usize,
    },
    /// The pool shuts down, or the thread that had the transaction ended.
    #[error("transaction pool is not running")]
    Closed,
    /// Above the size limit.
    #[error("oversized data: transaction size {size_bytes}, limit {limit_bytes}")]
    Oversized {
        /// Size on the wire, in bytes.
        size_bytes: usize,
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// Not a well-formed EIP-2718 transaction.
    #[error("transaction bytes cannot be decoded: {0}")]
    Decode(String),
    /// Deposits (0x7e), blobs (0x03), types of later forks, unknown types.
    #[error("transaction type not supported: 0x{0:02x}")]
    TypeNotSupported(u8),
    /// A legacy transaction that is valid on every chain (no EIP-155 chain id).
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}")]
    WrongChainId {
        /// The transaction's chain id.
        have: u64,
        /// The chain's.
        want: u64,
    },
    /// The signature is not canonical (EIP-2) or recovers to no address.
    #[error("invalid sender: {0}")]
    InvalidSender(&'static str),
    /// EIP-3607.
    #[error("sender not an eoa: address {0}")]
    SenderNotEoa(Address),
    /// EIP-3860.
    #[error("max initcode size exceeded: code size {size_bytes}, limit {limit_bytes}")]
    InitCodeTooLarge {
        /// Size of the init code, in bytes.
        size_bytes: usize,
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// Cannot fit any block.
    #[error("exceeds block gas limit: tx gas {tx}, block gas limit {block}")]
    ExceedsBlockGasLimit {
        /// The transaction's gas limit.
        tx: u64,
        /// The next block's.
        block: u64,
    },
    /// EIP-7825, from Karst.
    #[error("transaction gas limit too high: gas limit above cap of {cap}: {tx}")]
    GasLimitAboveCap {
        /// The transaction's gas limit.
        tx: u64,
        /// The cap.
        cap: u64,
    },
    /// `maxPriorityFeePerGas` exceeds `maxFeePerGas`.
    #[error(
        "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas {tip}, maxFeePerGas {fee_cap}"
    )]
    TipAboveFeeCap {
        /// Tip cap in wei.
        tip: u128,
        /// Fee cap in wei.
        fee_cap: u128,
    },
    /// EIP-2681.
    #[error("nonce has max value: {0}")]
    NonceMax(u64),
    /// The gas limit does not cover what every such transaction costs.
    #[error("intrinsic gas too low: gas {gas}, minimum needed {needed}")]
    IntrinsicGas {
        /// The transaction's gas limit.
        gas: u64,
        /// Intrinsic gas.
        needed: u64,
    },
    /// EIP-7623, from Isthmus.
    #[error("insufficient gas for floor data gas cost: gas {gas}, minimum needed {needed}")]
    FloorDataGas {
        /// The transaction's gas limit.
        gas: u64,
        /// Floor of its call data.
        needed: u64,
    },
    /// EIP-7702.
    #[error("EIP-7702 transaction with empty auth list")]
    EmptyAuthorizationList,
    /// Below the operator's minimum.
    #[error("transaction underpriced: gas tip cap {tip}, minimum needed {needed}")]
    TipTooLow {
        /// Tip cap in wei.
        tip: u128,
        /// The minimum in wei.
        needed: u128,
    },
    /// Its nonce is used.
    #[error("nonce too low: next nonce {next}, tx nonce {tx}")]
    NonceTooLow {
        /// The account's nonce.
        next: u64,
        /// The transaction's.
        tx: u64,
    },
    /// The sender cannot pay gas, value, L1 data fee and operator fee.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost} (L1 data fee and operator fee included), overshot {}",
        .cost.saturating_sub(*.balance)
    )]
    InsufficientFunds {
        /// The sender's balance in wei.
        balance: U256,
        /// All the transaction may cost, in wei.
        cost: U256,
    },
    /// Pooled, or being checked right now.
    #[error("already known")]
    AlreadyKnown(B256),
    /// The pooled transaction of the same nonce pays too much to be replaced.
    #[error(
        "replacement transaction underpriced: needs maxFeePerGas {fee_cap_needed} and maxPriorityFeePerGas {tip_needed}"
    )]
    ReplacementUnderpriced {
        /// Least fee cap in wei.
        fee_cap_needed: u128,
        /// Least tip cap in wei.
        tip_needed: u128,
    },
    /// The pool is full of transactions that pay more, or (for a transaction behind a nonce gap) of
    /// executable ones.
    #[error(
        "transaction underpriced: txpool is full and the transaction's price of {price} wei is among the lowest"
    )]
    Full {
        /// Effective gas price in wei.
        price: u64,
    },
    /// The sender has used its share.
    #[error("account limit exceeded: {address} has {limit} pooled transactions")]
    SenderLimit {
        /// The sender.
        address: Address,
        /// Slots a sender.
        limit: usize,
    },
    /// The sender's account could not be read.
    #[error("account state is unavailable: {0}")]
    State(String),
}

impl PoolError {
    /// Stable lower-case label for metrics and traces.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NotReady => "not_ready",
            Self::IntakeFull { .. } => "intake_full",
            Self::Closed => "closed",
            Self::Oversized { .. } => "oversized",
            Self::Decode(_) => "decode",
            Self::TypeNotSupported(_) => "type_not_supported",
            Self::Unprotected => "unprotected",
            Self::WrongChainId { .. } => "wrong_chain_id",
            Self::InvalidSender(_) => "invalid_sender",
            Self::SenderNotEoa(_) => "sender_not_eoa",
            Self::InitCodeTooLarge { .. } => "init_code_too_large",
            Self::ExceedsBlockGasLimit { .. } => "exceeds_block_gas_limit",
            Self::GasLimitAboveCap { .. } => "gas_limit_above_cap",
            Self::TipAboveFeeCap { .. } => "tip_above_fee_cap",
            Self::NonceMax(_) => "nonce_max",
            Self::IntrinsicGas { .. } => "intrinsic_gas",
            Self::FloorDataGas { .. } => "floor_data_gas",
            Self::EmptyAuthorizationList => "empty_authorization_list",
            Self::TipTooLow { .. } => "tip_too_low",
            Self::NonceTooLow { .. } => "nonce_too_low",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::AlreadyKnown(_) => "already_known",
            Self::ReplacementUnderpriced { .. } => "replacement_underpriced",
            Self::Full { .. } => "full",
            Self::SenderLimit { .. } => "sender_limit",
            Self::State(_) => "state",
        }
    }

    /// Whether the same transaction may be taken later without any change on the sender's side.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::NotReady
            | Self::IntakeFull { .. }
            | Self::Closed
            | Self::Full { .. }
            | Self::SenderLimit { .. }
            | Self::State(_) => true,
            Self::Oversized { .. }
            | Self::Decode(_)
            | Self::TypeNotSupported(_)
            | Self::Unprotected
            | Self::WrongChainId { .. }
            | Self::InvalidSender(_)
            | Self::SenderNotEoa(_)
            | Self::InitCodeTooLarge { .. }
            | Self::ExceedsBlockGasLimit { .. }
            | Self::GasLimitAboveCap { .. }
            | Self::TipAboveFeeCap { .. }
            | Self::NonceMax(_)
            | Self::IntrinsicGas { .. }
            | Self::FloorDataGas { .. }
            | Self::EmptyAuthorizationList
            | Self::TipTooLow { .. }
            | Self::NonceTooLow { .. }
            | Self::InsufficientFunds { .. }
            | Self::AlreadyKnown(_)
            | Self::ReplacementUnderpriced { .. } => false,
        }
    }
}
