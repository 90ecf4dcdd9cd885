//! What flashblocks of dialect `spec` say beyond those of the JSON dialects: the hash chain and the
//! outcomes of transactions.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::{Address, B256};
use blockwright_flashblocks::{
    FlashblocksMetadata, FlashblocksPayloadV1, OpFlashblockPayload, OpFlashblockPayloadMetadata,
};
use blockwright_types::PayloadId;

use crate::MemoryLimits;

/// How a flashblock hangs on the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It names the hash of the one before, or is index 0.
    Proved,
    /// The one before was not seen.
    Open,
}

/// Why a flashblock does not hang on the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It names another hash, or none; or names one at index 0.
    #[error("parent_flash_hash {}, expected {}", hash(*.stated), hash(*.expected))]
    Parent {
        /// What it names.
        stated: Option<B256>,
        /// Hash of the flashblock before; `None` at index 0.
        expected: Option<B256>,
    },
    /// Another flashblock with the same payload id and index had another hash.
    #[error("flash hash {second}, where {first} was before")]
    Second {
        /// Hash of the one that came first.
        first: B256,
        /// Hash of this one.
        second: B256,
    },
}

/// Why the metadata of a flashblock of dialect `spec` cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecMetadataError {
    /// Every transaction has exactly one outcome.
    #[error("{outcomes} outcomes for {transactions} transactions")]
    Outcomes {
        /// Outcomes in the metadata.
        outcomes: usize,
        /// Transactions in the flashblock.
        transactions: usize,
    },
    /// What the transactions used is not what the block's gas rose by.
    #[error("gas_used {stated}, by the outcomes {expected}")]
    Gas {
        /// `gas_used` of the block so far.
        stated: u64,
        /// Gas before the flashblock and what its transactions used.
        expected: u64,
    },
    /// Accounts stand in the order of their addresses, each once.
    #[error("account {address} is not in order")]
    AccountOrder {
        /// The first that is not.
        address: Address,
    },
    /// Slots stand in the order of their keys, each once.
    #[error("slot {key} of account {address} is not in order")]
    SlotOrder {
        /// The account.
        address: Address,
        /// The first key that is not.
        key: B256,
    },
}

/// What was found out about a flashblock of dialect `spec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecReport {
    /// Its hash tree root: what the next one names as its parent, and what is signed.
    pub flash_hash: B256,
    /// Number of its block; `None` where index 0 of its payload was not seen.
    pub block_number: Option<u64>,
    /// Its place in the hash chain.
    pub link: Result<Link, ChainError>,
    /// Whether its metadata agree with themselves and with the flashblock before, as far as that was
    /// seen.
    pub metadata: Result<(), SpecMetadataError>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    flash_hash: B256,
    gas_used: u64,
}

#[derive(Debug)]
struct Payload {
    id: PayloadId,
    block_number: Option<u64>,
    places: BTreeMap<u64, Place>,
}

/// Follows the hash chains of the last payloads of a stream of dialect `spec`. Whether indices are
/// contiguous is the part of a [`crate::Sequence`].
#[derive(Debug, Default)]
pub struct SpecChain {
    limits: MemoryLimits,
    /// Oldest first.
    payloads: VecDeque<Payload>,
}

impl SpecChain {
    /// A chain that remembers as many payloads, and as many of the last flashblocks of each, as
    /// `limits` say. It keeps hashes alone: a limit in bytes has no effect.
    pub const fn new(limits: MemoryLimits) -> Self {
        Self {
            limits,
            payloads: VecDeque::new(),
        }
    }

    /// Takes the next flashblock and hashes it. Of two contents for one place the first one stands.
    pub fn check(&mut self, flashblock: &FlashblocksPayloadV1) -> SpecReport {
        let flash_hash = flashblock.flash_hash();
        let kept_max = self.limits.flashblocks_max.max(1);
        let payload = self.payload(PayloadId(flashblock.payload_id));
        if let (0, Some(base)) = (flashblock.index, flashblock.base.as_ref()) {
            payload.block_number.get_or_insert(base.block_number);
        }
        let before = flashblock.index.checked_sub(1);
        let before = before.and_then(|index| payload.places.get(&index).copied());
        let first = payload.places.get(&flashblock.index).copied();
        let link = match first.map(|first| first.flash_hash) {
            Some(first) if first != flash_hash => Err(ChainError::Second {
                first,
                second: flash_hash,
            }),
            _ => check_parent(flashblock, before.map(|before| before.flash_hash)),
        };
        let gas_before = before.map(|before| before.gas_used);
        let gas_before = gas_before.or((flashblock.index == 0).then_some(0));
        if first.is_none() {
            let gas_used = flashblock.diff.gas_used;
            let place = Place {
                flash_hash,
                gas_used,
            };
            payload.places.insert(flashblock.index, place);
            if payload.places.len() > kept_max {
                payload.places.pop_first();
            }
        }
        SpecReport {
            flash_hash,
            block_number: payload.block_number,
            link,
            metadata: check_metadata(flashblock, gas_before),
        }
    }

    fn payload(&mut self, id: PayloadId) -> &mut Payload {
        let known = self.payloads.iter().position(|payload| payload.id == id);
        let at = known.unwrap_or_else(|| {
            if self.payloads.len() >= self.limits.payloads_max.max(1) {
                self.payloads.pop_front();
            }
            self.payloads.push_back(Payload {
                id,
                block_number: None,
                places: BTreeMap::new(),
            });
            self.payloads.len() - 1
        });
        &mut self.payloads[at]
    }
}

/// The flashblock as the JSON dialects have it, for a [`crate::Verifier`] with
/// [`crate::VerifierRules::spec`]: without receipts, balances and `blob_gas_used`, which the container
/// does not have. `block_number` is in the container at index 0 alone.
pub fn spec_payload(flashblock: &FlashblocksPayloadV1, block_number: u64) -> OpFlashblockPayload {
    OpFlashblockPayload {
        payload_id: PayloadId(flashblock.payload_id),
        index: flashblock.index,
        base: flashblock.json_base(),
        diff: flashblock.json_diff(None),
        metadata: OpFlashblockPayloadMetadata {
            block_number,
            ..OpFlashblockPayloadMetadata::default()
        },
    }
}

fn check_parent(
    flashblock: &FlashblocksPayloadV1,
    before: Option<B256>,
) -> Result<Link, ChainError> {
    let stated = flashblock.parent_flash_hash.as_ref().copied();
    let is_first = flashblock.index == 0;
    if !is_first && before.is_none() && stated.is_some() {
        return Ok(Link::Open);
    }
    let expected = before.filter(|_| !is_first);
    // Where the one before was not seen, none is named, which is wrong whatever its hash is.
    if stated == expected && (is_first || stated.is_some()) {
        return Ok(Link::Proved);
    }
    Err(ChainError::Parent { stated, expected })
}

fn check_metadata(
    flashblock: &FlashblocksPayloadV1,
    gas_before: Option<u64>,
) -> Result<(), SpecMetadataError> {
    let FlashblocksMetadata {
        accounts,
        transactions,
    } = &flashblock.metadata;
    let count = flashblock.diff.transactions.len();
    if transactions.len() != count {
        return Err(SpecMetadataError::Outcomes {
            outcomes: transactions.len(),
            transactions: count,
        });
    }
    if let Some(before) = gas_before {
        let used = transactions.iter().map(|outcome| outcome.gas_used);
        let expected = used.fold(before, u64::saturating_add);
        let stated = flashblock.diff.gas_used;
        if stated != expected {
            return Err(SpecMetadataError::Gas { stated, expected });
        }
    }
    let pairs = accounts.iter().zip(accounts.iter().skip(1));
    for (one, next) in pairs {
        if one.address >= next.address {
            let address = next.address;
            return Err(SpecMetadataError::AccountOrder { address });
        }
    }
    for account in accounts {
        let slots = &account.storage_slots;
        let mut pairs = slots.iter().zip(slots.iter().skip(1));
        if let Some((_, next)) = pairs.find(|(one, next)| one.key >= next.key) {
            return Err(SpecMetadataError::SlotOrder {
                address: account.address,
                key: next.key,
            });
        }
    }
    Ok(())
}

fn hash(hash: Option<B256>) -> String {
    hash.map_or_else(|| "none".to_owned(), |hash| hash.to_string())
}
