//! The logic of the namespace, without a transport.

use std::path::PathBuf;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_builder_codec::{
    ChainDomain, DOMAIN_APPLICATION_BUILDER, DOMAIN_BEACON_PROPOSER, PayloadFork, RequestedBlock,
    bid_root, compute_signing_root, fee_recipient_root,
};
use blockwright_signer::{BlsPublicKey, BlsSignature, BlsSigner, verify_bls};
use blockwright_types::BlockPart;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use serde_json::value::{RawValue, to_raw_value};

use crate::answer::{BlindAnswer, BlindPayload};
use crate::header::{header_of, payload_fork};
use crate::offers::{HandedOut, Offered, Offers};
use crate::registrations::{Registration, Registrations};
use crate::reveals::{Reveal, Reveals};
use crate::stored::StoredFile;
use crate::trees::Trees;
use crate::{BlindError, NotOffered, OfferSource, OfferedBlock, StoreError, metrics};

/// A longer beacon block is none.
const BLOCK_BYTES_MAX: usize = 16 << 20;

/// Every fork's containers, the newest first.
const FORKS: [PayloadFork; 3] = [
    PayloadFork::Deneb,
    PayloadFork::Capella,
    PayloadFork::Bellatrix,
];

/// How a desk answers.
#[derive(Clone, Debug, Default)]
pub struct BlindDeskConfig {
    /// The domains that signatures are made for.
    pub domain: ChainDomain,
    /// Who may register and ask for blocks; empty for anybody who names its key, unless `is_closed`.
    pub proposers: Vec<BlsPublicKey>,
    /// Whether nobody but `proposers` may, even where there are none: those of another API are listed.
    pub is_closed: bool,
    /// Signs headers; without it none are handed out.
    pub signer: Option<Arc<dyn BlsSigner>>,
    /// Where registrations and reveals are kept; `None` forgets them with the process.
    pub folder: Option<PathBuf>,
}

impl BlindDeskConfig {
    /// The proposers that alone may ask; `None` where anybody may.
    fn listed(&self) -> Option<&[BlsPublicKey]> {
        let is_open = self.proposers.is_empty() && !self.is_closed;
        (!is_open).then_some(&self.proposers)
    }
}

/// Answers proposers from what is built. Calls verify and make signatures and write files, so they belong on
/// threads that may be busy for a while.
pub struct BlindDesk {
    config: BlindDeskConfig,
    source: Arc<dyn OfferSource>,
    registrations: Mutex<Registrations>,
    /// The newest of them: who asks for it waits for no disk.
    expected: RwLock<Option<Registration>>,
    reveals: Mutex<Reveals>,
    offers: Mutex<Offers>,
    trees: Trees,
}

impl BlindDesk {
    /// A desk for what `source` shows, with what is kept in the configured folder.
    ///
    /// # Errors
    /// [`StoreError`] naming the file that cannot be used.
    pub fn open(config: BlindDeskConfig, source: Arc<dyn OfferSource>) -> Result<Self, StoreError> {
        metrics::describe();
        let file = |name| {
            let folder = config.folder.as_ref();
            folder.map(|folder| StoredFile::new(folder.join(name)))
        };
        let registrations = Registrations::open(file("fee-recipients.json"), config.listed())?;
        metrics::registrations(registrations.count());
        Ok(Self {
            expected: RwLock::new(registrations.newest()),
            registrations: Mutex::new(registrations),
            reveals: Mutex::new(Reveals::open(file("reveals.json"))?),
            offers: Mutex::default(),
            trees: Trees::default(),
            config,
            source,
        })
    }

    pub(crate) fn source(&self) -> &dyn OfferSource {
        &*self.source
    }

    /// The key that headers are signed with.
    pub(crate) fn public_key(&self) -> Option<BlsPublicKey> {
        self.config
            .signer
            .as_ref()
            .map(|signer| signer.public_key())
    }

    /// The proposer that is expected to ask, and who is to receive its fees. Waits for nothing.
    pub fn expected(&self) -> Option<(BlsPublicKey, Address)> {
        let newest = *self.expected.read();
        newest.map(|newest| (newest.public_key, newest.fee_recipient))
    }

    /// `builder_setFeeRecipientV1`: the proposer whose signature it is wants `fee_recipient` to have the fees,
    /// and is the one that is expected to ask from now on. On the disk when this returns.
    ///
    /// # Errors
    /// [`BlindError::Stranger`] where the signature is not that of a listed proposer, or of `named` where the
    /// key is named; [`BlindError::KeyNotNamed`] and [`BlindError::NobodyListed`] where none is listed;
    /// [`BlindError::RegistrationsFull`]; [`BlindError::NotRecorded`].
    pub fn set_fee_recipient(
        &self,
        fee_recipient: Address,
        signature: &BlsSignature,
        named: Option<BlsPublicKey>,
    ) -> Result<(), BlindError> {
        let domain = self.config.domain.domain(DOMAIN_APPLICATION_BUILDER);
        let root = compute_signing_root(fee_recipient_root(fee_recipient), domain);
        let public_key = match (self.config.listed(), named) {
            (Some([]), _) => return Err(BlindError::NobodyListed),
            (None, None) => return Err(BlindError::KeyNotNamed),
            (Some(listed), Some(named)) if !listed.contains(&named) => None,
            (_, Some(named)) => signer_among([named], root, signature),
            (Some(listed), None) => signer_among(listed.iter().copied(), root, signature),
        };
        let public_key = public_key.ok_or(BlindError::Stranger)?;
        let mut registrations = self.registrations.lock();
        registrations.set(Registration {
            public_key,
            fee_recipient,
        })?;
        *self.expected.write() = registrations.newest();
        metrics::registrations(registrations.count());
        drop(registrations);
        tracing::info!(proposer = %public_key, %fee_recipient, "fee recipient registered");
        Ok(())
    }

    /// `builder_getBlindExecutionPayloadV1`: the signed header of the block on `parent_hash` as it is now. Its
    /// building goes on, and the block can be had with [`Self::reveal`]. Gives the answer's JSON.
    ///
    /// # Errors
    /// [`BlindError`], decided in this order: the parent, the registration, our key, the block.
    pub fn blind(&self, parent_hash: B256) -> Result<Arc<RawValue>, BlindError> {
        if !self.source.is_known(parent_hash) {
            return Err(BlindError::UnknownParent);
        }
        let (proposer, fee_recipient) = self.expected().ok_or(BlindError::NoRegistration)?;
        let signer = self.config.signer.as_deref();
        let signer = signer.ok_or(BlindError::NoKey("--builder-api.bls-key"))?;
        let block = self
            .source
            .offer(parent_hash)
            .map_err(|error| match error {
                NotOffered::NothingBuilt => BlindError::NothingBuilt,
                NotOffered::NotReady => BlindError::NotReady,
            })?;
        let value = block.value_for(fee_recipient);
        let known = self.offers.lock().get(block.block().hash).cloned();
        let known_answer = known
            .as_ref()
            .and_then(|known| known.answer(proposer, fee_recipient, value));
        if let Some(answer) = known_answer {
            return Ok(answer);
        }
        let offered = known.map_or_else(|| self.offered(block), Ok)?;
        let json = self.signed(&offered, value, signer)?;
        let given = HandedOut {
            proposer,
            fee_recipient,
            value,
            json: Arc::clone(&json),
        };
        let mut offers = self.offers.lock();
        let gone = offers.add(offered, given);
        metrics::offers(offers.count());
        drop(offers);
        drop(gone);
        Ok(json)
    }

    /// Whether somebody may ask for headers.
    pub fn is_expecting(&self) -> bool {
        self.config.signer.is_some() && self.expected().is_some()
    }

    /// Hashes the transactions of a block of `parts` ahead, so that its header, and those of what grows out of
    /// it, take no time.
    pub fn prepare(&self, parts: &[Arc<BlockPart>]) {
        if let Err(error) = self.trees.root(parts) {
            tracing::warn!(%error, "transactions cannot be hashed");
        }
    }

    /// A block whose header is to be handed out.
    fn offered(&self, block: Arc<dyn OfferedBlock>) -> Result<Offered, BlindError> {
        let transactions_root = self.trees.root(&block.block().parts)?;
        let fork = payload_fork(block.fork());
        let header = header_of(block.block(), fork, transactions_root)?;
        Ok(Offered {
            header_root: header.header().root(),
            header: Arc::new(header),
            block,
            to: Vec::new(),
        })
    }

    fn signed(
        &self,
        offered: &Offered,
        value: U256,
        signer: &dyn BlsSigner,
    ) -> Result<Arc<RawValue>, BlindError> {
        let domain = self.config.domain.domain(DOMAIN_APPLICATION_BUILDER);
        let root = bid_root(&offered.header.header(), value);
        let signature = signer.sign_root(compute_signing_root(root, domain));
        let signature = signature.map_err(|error| {
            tracing::error!(%error, "a header is not signed");
            BlindError::NotReady
        })?;
        let answer = BlindAnswer {
            payload: BlindPayload::of(&offered.header),
            value: B256::from(value.to_be_bytes::<32>()),
            signature,
        };
        let json = to_raw_value(&answer);
        let json = json.map_err(|_| BlindError::Fault("a header cannot be written as JSON"))?;
        Ok(Arc::from(json))
    }

    /// `builder_getExecutionPayloadV1`: the payload of the SSZ beacon block `bytes`, blinded or full, which its
    /// proposer signed. Its building ends. The same block is given again, another one of its slot never is.
    /// Gives the payload's JSON, in pieces.
    ///
    /// # Errors
    /// [`BlindError`], decided in this order: the form, the block, the signature, what was revealed before.
    pub fn reveal(
        &self,
        bytes: &[u8],
        signature: &BlsSignature,
        named: Option<BlsPublicKey>,
    ) -> Result<Vec<Bytes>, BlindError> {
        let (requested, offered) = self.requested(bytes)?;
        let domain = self.config.domain.domain(DOMAIN_BEACON_PROPOSER);
        let root = compute_signing_root(requested.root, domain);
        let expected = offered.to.iter().rev().map(|given| given.proposer);
        let expected = expected.filter(|proposer| named.is_none_or(|named| named == *proposer));
        let proposer = signer_among(expected, root, signature).ok_or(BlindError::Stranger)?;
        self.reveals.lock().record(Reveal {
            slot: requested.slot,
            proposer,
            block_hash: requested.block_hash,
        })?;
        let json = offered.block.reveal();
        tracing::info!(number = requested.slot, hash = %requested.block_hash, %proposer, "block revealed");
        Ok(json)
    }

    /// The block that is meant, as a header of it was handed out.
    fn requested(&self, bytes: &[u8]) -> Result<(RequestedBlock, Offered), BlindError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(BlindError::NotABlock);
        }
        let mut is_block = false;
        for fork in FORKS {
            let Ok(requested) = RequestedBlock::decode(fork, bytes) else {
                continue;
            };
            is_block = true;
            let offered = self.offers.lock().get(requested.block_hash).cloned();
            let offered = offered.filter(|offered| {
                offered.fork() == fork
                    && offered.header_root == requested.payload_root
                    && offered.block.block().header.number == requested.slot
            });
            if let Some(offered) = offered {
                return Ok((requested, offered));
            }
        }
        Err(if is_block {
            BlindError::NotOffered
        } else {
            BlindError::NotABlock
        })
    }
}

/// The first of `keys` under which the signature verifies.
fn signer_among(
    keys: impl IntoIterator<Item = BlsPublicKey>,
    root: B256,
    signature: &BlsSignature,
) -> Option<BlsPublicKey> {
    keys.into_iter()
        .find(|key| verify_bls(root, signature, key).is_ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
