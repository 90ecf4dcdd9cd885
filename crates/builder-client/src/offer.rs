//! An offer: an answer in which everything that can be checked without executing holds.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use blockwright_builder_codec::{BidTrace, RequestMessage, VersionNames, signing_digest};
use blockwright_payload::ExecutionPayload;
use blockwright_signer::recover;
use blockwright_types::OpFork;

use crate::{Against, Answer, ClientError, Lie};

/// What a proposer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Number of the block.
    pub slot: u64,
    /// Its parent.
    pub parent_hash: B256,
    /// Fork of the block.
    pub fork: OpFork,
    /// Of the attributes; `None` before Ecotone.
    pub parent_beacon_block_root: Option<B256>,
}

impl Wanted {
    /// What is signed.
    pub(crate) const fn message(&self) -> RequestMessage {
        RequestMessage {
            slot: self.slot,
            parent_hash: self.parent_hash,
        }
    }

    /// A mistake of the proposer's must not look like a lie of the builder's.
    pub(crate) fn check(&self) -> Result<(), ClientError> {
        let fork = self.fork;
        match (self.parent_beacon_block_root, fork >= OpFork::Ecotone) {
            (Some(_), true) | (None, false) => Ok(()),
            (None, true) => Err(ClientError::BeaconRoot { fork, has: "a" }),
            (Some(_), false) => Err(ClientError::BeaconRoot { fork, has: "no" }),
        }
    }
}

/// Whose signatures count, and on which chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parties {
    pub(crate) chain_id: u64,
    pub(crate) builder: Option<Address>,
    /// Who asks; `None` where nobody in particular does.
    pub(crate) proposer: Option<Address>,
}

/// A block that a builder offers. Signature, bid and payload agree with each other and with what was
/// asked for, and the payload's hash is the one of its fields.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The bid.
    pub bid: BidTrace,
    /// Who signed it.
    pub builder: Address,
    /// The block.
    pub payload: ExecutionPayload,
    /// Its header.
    pub header: Header,
    /// The answer's name of the fork at the parent's timestamp. Nothing of the block depends on it.
    pub version: String,
}

impl Offer {
    /// Checks an answer. Hashes all transactions.
    pub(crate) fn of(answer: Answer, wanted: &Wanted, parties: Parties) -> Result<Self, Lie> {
        check_version(&answer.version)?;
        let Answer {
            version,
            message: bid,
            execution_payload: payload,
            signature,
        } = answer;
        let digest = signing_digest(parties.chain_id, &bid);
        let signer = recover(digest, &signature).map_err(|_| Lie::Signature)?;
        let builder = parties.builder.unwrap_or(bid.builder_address);
        if signer != builder {
            return Err(Lie::Signer { signer, builder });
        }
        check_request(&bid, wanted, builder, parties.proposer)?;
        check_payload(&bid, &payload)?;
        payload.check_fields(wanted.fork, wanted.parent_beacon_block_root)?;
        check_withdrawals(&payload)?;
        let header = payload.header(wanted.fork, wanted.parent_beacon_block_root);
        let computed = header.hash_slow();
        if computed != payload.block_hash {
            return Err(Lie::Hash {
                found: payload.block_hash,
                computed,
            });
        }
        Ok(Self {
            bid,
            builder,
            payload,
            header,
            version,
        })
    }

    /// Whether the version is one that a block of `fork` may have, by either way of naming: it tells the
    /// parent's fork, which is `fork` or, for its first block, the one before. A block after forks that came
    /// at once has another, so this is no lie.
    pub fn has_version_of(&self, fork: OpFork) -> bool {
        let forks = OpFork::ALL.into_iter().filter(|other| *other <= fork);
        forks
            .rev()
            .take(2)
            .any(|fork| is_name_of(&self.version, fork))
    }
}

fn check_version(version: &str) -> Result<(), Lie> {
    if OpFork::ALL
        .into_iter()
        .any(|fork| is_name_of(version, fork))
    {
        Ok(())
    } else {
        Err(Lie::Version(version.chars().take(32).collect()))
    }
}

fn is_name_of(version: &str, fork: OpFork) -> bool {
    [VersionNames::Legacy, VersionNames::Named]
        .iter()
        .any(|names| names.of(fork) == version)
}

/// One field of a bid beside the same of something else.
fn agree<T: PartialEq + core::fmt::Display>(
    field: &'static str,
    against: Against,
    bid: &T,
    other: &T,
) -> Result<(), Lie> {
    if bid == other {
        return Ok(());
    }
    Err(Lie::Bid {
        field,
        bid: bid.to_string(),
        against,
        other: other.to_string(),
    })
}

/// There are none on an OP Stack chain, and from Isthmus on the block's hash does not tell of them.
fn check_withdrawals(payload: &ExecutionPayload) -> Result<(), Lie> {
    match payload.withdrawals.as_deref().unwrap_or_default() {
        [] => Ok(()),
        some => Err(Lie::Payload {
            field: "withdrawals",
            found: format!("a list of {}", some.len()),
            wanted: "an empty list".to_owned(),
        }),
    }
}

fn check_request(
    bid: &BidTrace,
    wanted: &Wanted,
    builder: Address,
    proposer: Option<Address>,
) -> Result<(), Lie> {
    let against = Against::Request;
    agree("slot", against, &bid.slot, &wanted.slot)?;
    agree("parentHash", against, &bid.parent_hash, &wanted.parent_hash)?;
    agree("builderAddress", against, &bid.builder_address, &builder)?;
    // A builder that answers everybody does not look at who asks.
    match proposer {
        Some(proposer) if !bid.proposer_address.is_zero() => {
            agree("proposerAddress", against, &bid.proposer_address, &proposer)
        }
        _ => Ok(()),
    }
}

fn check_payload(bid: &BidTrace, payload: &ExecutionPayload) -> Result<(), Lie> {
    let against = Against::Payload;
    agree("slot", against, &bid.slot, &payload.block_number)?;
    agree(
        "parentHash",
        against,
        &bid.parent_hash,
        &payload.parent_hash,
    )?;
    agree("blockHash", against, &bid.block_hash, &payload.block_hash)?;
    agree("gasLimit", against, &bid.gas_limit, &payload.gas_limit)?;
    agree("gasUsed", against, &bid.gas_used, &payload.gas_used)?;
    agree(
        "proposerFeeRecipient",
        against,
        &bid.proposer_fee_recipient,
        &payload.fee_recipient,
    )
}
