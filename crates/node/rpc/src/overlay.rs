//! Preconfirmed state in the answers: which block a request sees, and what stands for a hash it does
//! not have yet.

use std::str::FromStr;
use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use blockwright_pending::{Pending, PendingBlock, StateView};
use blockwright_state::BlockRef;
use blockwright_types::{BlockContext, SealedBlock};

use crate::{EthApi, RpcError};

/// Preconfirmed state and how it is shown.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Where it comes from.
    pub pending: Pending,
    /// What stands for what is not known yet.
    pub placeholders: Placeholders,
}

/// What stands for the fields that a block has only once it is sealed. The `blockHash` of receipts and
/// logs is the zero hash in either form: it must be there, and clients refuse them without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placeholders {
    /// As execution clients show a pending block: its `hash` and `nonce` are null, and so is the
    /// `blockHash` of its transactions.
    #[default]
    Standard,
    /// As the flashblocks specification has it: the block's `hash` is the zero hash and its `nonce` the
    /// flashblock index; a transaction's `blockHash` is the hash the block had when the transaction was
    /// preconfirmed.
    Spec,
}

/// A name that is none of [`Placeholders`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown placeholders {0:?}: expected standard or spec")]
pub struct UnknownPlaceholders(String);

impl FromStr for Placeholders {
    type Err = UnknownPlaceholders;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "standard" => Ok(Self::Standard),
            "spec" => Ok(Self::Spec),
            other => Err(UnknownPlaceholders(other.to_owned())),
        }
    }
}

impl std::fmt::Display for Placeholders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::Spec => "spec",
        })
    }
}

/// A block as an answer shows it.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    /// It has its hash.
    Stored(Arc<SealedBlock>),
    /// It still grows.
    Preconfirmed(Arc<PendingBlock>, Placeholders),
}

impl Shown {
    pub(crate) fn block(&self) -> &SealedBlock {
        match self {
            Self::Stored(block) => block,
            Self::Preconfirmed(pending, _) => &pending.block,
        }
    }

    /// `blockHash` of a receipt, and of a log wherever it stands.
    pub(crate) fn receipt_hash(&self) -> B256 {
        match self {
            Self::Stored(block) => block.hash,
            Self::Preconfirmed(..) => B256::ZERO,
        }
    }

    /// `blockHash` of the transaction at `position`.
    pub(crate) fn transaction_hash(&self, position: usize) -> Option<B256> {
        match self {
            Self::Stored(block) => Some(block.hash),
            Self::Preconfirmed(pending, Placeholders::Spec) => {
                pending.hash_when_preconfirmed(position)
            }
            Self::Preconfirmed(_, Placeholders::Standard) => None,
        }
    }

    fn context(&self, chain: &blockwright_chain::ChainSpec) -> BlockContext {
        let block = match self {
            Self::Stored(block) => block,
            Self::Preconfirmed(pending, _) => return pending.context.clone(),
        };
        let header = &block.header;
        BlockContext {
            chain_id: chain.chain_id(),
            fork: chain.fork_at(header.timestamp),
            activates: None,
            parent_hash: header.parent_hash,
            number: header.number,
            timestamp: header.timestamp,
            fee_recipient: header.beneficiary,
            prev_randao: header.mix_hash,
            gas_limit: header.gas_limit,
            base_fee: header.base_fee_per_gas.unwrap_or_default(),
            extra_data: header.extra_data.clone(),
            parent_beacon_block_root: header.parent_beacon_block_root,
        }
    }
}

/// What one request is answered from: the head, and the preconfirmed block on it. Taken once, so that
/// whatever the answer is made of agrees.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) head: BlockRef,
    pending: Option<Arc<PendingBlock>>,
    placeholders: Placeholders,
}

impl Moment {
    /// The preconfirmed blocks above the head, the newest first. A follower may have more than one.
    pub(crate) fn preconfirmed(&self) -> impl Iterator<Item = Shown> {
        let (head, placeholders) = (self.head.number, self.placeholders);
        std::iter::successors(self.pending.clone(), |block| block.parent.clone())
            .take_while(move |block| block.context.number > head)
            .map(move |block| Shown::Preconfirmed(block, placeholders))
    }

    /// The preconfirmed block that holds a transaction, and the transaction's position in it.
    pub(crate) fn transaction(&self, hash: &B256) -> Option<(Shown, usize)> {
        self.preconfirmed().find_map(|shown| match &shown {
            Shown::Preconfirmed(block, _) => {
                let position = block.transaction(hash)?;
                Some((shown, position))
            }
            Shown::Stored(_) => None,
        })
    }
}

/// Whether a block is named by the tag `pending`.
pub(crate) fn is_pending(id: BlockId) -> bool {
    id == BlockId::Number(BlockNumberOrTag::Pending)
}

impl EthApi {
    /// Head and preconfirmed block as of now, for a request that names `pending`.
    pub(crate) fn moment(&self) -> Moment {
        self.moment_with(|pending, head| pending.current(&head, pending.now()))
    }

    /// The same for a request that does not: nobody is disappointed where there is none.
    pub(crate) fn unasked_moment(&self) -> Moment {
        self.moment_with(|pending, head| pending.resolve(&head, pending.now()).ok())
    }

    fn moment_with(
        &self,
        take: impl FnOnce(&Pending, BlockRef) -> Option<Arc<PendingBlock>>,
    ) -> Moment {
        let head = self.deps.store.head();
        let overlay = self.deps.overlay.as_ref();
        Moment {
            head,
            pending: overlay.and_then(|overlay| take(&overlay.pending, head)),
            placeholders: overlay
                .map_or_else(Placeholders::default, |overlay| overlay.placeholders),
        }
    }

    /// The block whose state or logs are asked for. Receipts and logs have the zero hash while they are
    /// preconfirmed, and programs that ask for the state after a receipt's block do not look at the hash; so
    /// it is `pending` here. No block has it, and whoever insists on a canonical one means another.
    pub(crate) fn state_id(&self, id: BlockId) -> BlockId {
        match id {
            BlockId::Hash(hash)
                if hash.block_hash.is_zero()
                    && hash.require_canonical != Some(true)
                    && self.deps.overlay.is_some() =>
            {
                BlockId::Number(BlockNumberOrTag::Pending)
            }
            other => other,
        }
    }

    /// A block by name; `None` where there is none.
    pub(crate) fn shown(&self, id: BlockId) -> Option<Shown> {
        if !is_pending(id) {
            return self.find_block(id).map(Shown::Stored);
        }
        let moment = self.moment();
        let newest = moment.preconfirmed().next();
        newest.or_else(|| {
            let head = self.deps.store.block_by_hash(moment.head.hash);
            head.map(Shown::Stored)
        })
    }

    /// A block with the state after it.
    pub(crate) fn state_at(&self, id: BlockId) -> Result<(Shown, StateView), RpcError> {
        let shown = self
            .shown(self.state_id(id))
            .ok_or(RpcError::UnknownBlock(id))?;
        let state = match &shown {
            Shown::Preconfirmed(pending, _) => pending.state(),
            Shown::Stored(block) => {
                let reader = self.deps.store.reader(block.hash);
                StateView::from(reader.ok_or(RpcError::StateNotHeld {
                    number: block.header.number,
                })?)
            }
        };
        Ok((shown, state))
    }

    /// The environment a block was executed in.
    pub(crate) fn context_of(&self, shown: &Shown) -> BlockContext {
        shown.context(&self.deps.chain)
    }

    /// `op_supportedCapabilities`: whether `pending` may be preconfirmed state.
    pub(crate) fn capabilities(&self) -> Vec<&'static str> {
        let overlay = self.deps.overlay.as_ref();
        overlay.map(|_| "flashblocksv1").into_iter().collect()
    }
}
