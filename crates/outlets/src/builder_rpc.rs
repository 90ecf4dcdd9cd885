//! The `builder_` namespace over a node's parts.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::{Address, B256, U64, U256};
use blockwright_builder_api::PayloadDesk;
use blockwright_builder_rpc::{
    Bid, BlindDesk, BlindDeskConfig, BuilderRpc, Head, NotOffered, OfferSource, OfferedBlock,
};
use blockwright_payment::Recipient;
use blockwright_requests::{OfferedBlock as Offered, Requests};
use blockwright_seams::Host;
use blockwright_service::{BuilderHandle, Payload, ReleaseError};
use blockwright_signer::{BlsLocalSigner, BlsSigner, SecretText, check_bls_public_key};
use blockwright_types::{OpFork, PayloadId, SealedBlock};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::key_source::KeyFlags;
use crate::{BuilderApiSettings, OutletError};

const BLS_KEY: KeyFlags = KeyFlags {
    file: "--builder-api.bls-key",
    password_file: "--builder-api.bls-key-password-file",
    hex: "--builder-api.bls-key-hex",
};

/// A development chain's BLS key, which everybody knows.
const WELL_KNOWN_KEY: [u8; 32] = [0x0b; 32];

/// What proposers are answered by.
pub struct Proposers<F> {
    /// Hands out payloads, where there is a key to sign bids with.
    pub payloads: Option<Arc<PayloadDesk>>,
    /// The namespace.
    pub rpc: BuilderRpc,
    /// Follows the bids that the namespace tells of; to be run.
    pub following: F,
    /// The fee recipient that the expected proposer registered.
    pub recipient: Recipient,
}

impl BuilderApiSettings {
    /// What proposers are answered by, from what is built. Registrations and reveals are kept in `folder`.
    ///
    /// # Errors
    /// [`OutletError::Config`] naming the flag at fault; [`OutletError::Start`] where the folder is no good.
    pub fn proposers<H: Host, F: Future<Output = ()> + Send>(
        &self,
        requests: &Requests<H>,
        folder: PathBuf,
        ended: F,
    ) -> Result<Proposers<impl Future<Output = ()> + Send + use<H, F>>, OutletError> {
        let payloads = self.desk(requests)?;
        for key in &self.bls_proposers {
            check_bls_public_key(key).map_err(|error| {
                let reason = format!("{key}: {error}");
                OutletError::flag("--builder-api.proposer-bls", &reason)
            })?;
        }
        let signer = self.bls_signer()?;
        let is_closed = self.lists_proposers();
        if !is_closed && signer.is_some() {
            tracing::warn!(
                "without --builder-api.proposer-bls whoever names a BLS key of its own may register and ask \
                 for blocks by the builder_ namespace"
            );
        } else if self.bls_proposers.is_empty() && signer.is_some() {
            tracing::info!(
                "the builder_ namespace hands out no headers: --builder-api.proposer lists proposers, and \
                 --builder-api.proposer-bls none with a BLS key"
            );
        }
        let config = BlindDeskConfig {
            domain: self.domain,
            proposers: self.bls_proposers.clone(),
            is_closed,
            signer,
            folder: Some(folder),
        };
        let (sender, bids) = watch::channel(None);
        let source = Shown {
            requests: requests.clone(),
            bids,
        };
        let blind = BlindDesk::open(config, Arc::new(source));
        let blind =
            Arc::new(blind.map_err(|error| OutletError::start("builder_ namespace", error))?);
        let following = follow(requests.builder().clone(), Arc::clone(&blind), sender);
        let following = async move {
            tokio::select! {
                () = following => {}
                () = ended => {}
            }
        };
        // The desk holds the builder, whose blocks this is asked for.
        let registered = Arc::downgrade(&blind);
        let recipient = move || Some(registered.upgrade()?.expected()?.1);
        Ok(Proposers {
            recipient: Arc::new(recipient),
            rpc: BuilderRpc::new(blind, payloads.clone()),
            payloads,
            following,
        })
    }

    fn bls_signer(&self) -> Result<Option<Arc<dyn BlsSigner>>, OutletError> {
        let signer = match self.bls_key.bls_signer(BLS_KEY)? {
            Some(signer) => signer,
            None if self.well_known_key.is_some() => {
                tracing::warn!(
                    "headers are signed with a BLS key that everybody knows: --builder-api.bls-key gives another"
                );
                let text = SecretText::new(alloy_primitives::hex::encode(WELL_KNOWN_KEY));
                BlsLocalSigner::from_hex(&text)
                    .map_err(|error| OutletError::flag(BLS_KEY.file, &error))?
            }
            None => return Ok(None),
        };
        tracing::info!(builder = %signer.public_key(), "headers are signed");
        Ok(Some(Arc::new(signer)))
    }
}

/// What our builder shows.
struct Shown<H: Host> {
    requests: Requests<H>,
    bids: watch::Receiver<Option<Bid>>,
}

impl<H: Host> OfferSource for Shown<H> {
    fn is_known(&self, hash: B256) -> bool {
        self.requests.node().header(hash).is_some()
    }

    fn offer(&self, parent_hash: B256) -> Result<Arc<dyn OfferedBlock>, NotOffered> {
        match self.requests.offer(parent_hash) {
            Ok(offer) => Ok(Arc::new(ShownBlock {
                requests: self.requests.clone(),
                offer,
            })),
            Err(ReleaseError::Nothing(_) | ReleaseError::OtherNumber { .. }) => {
                Err(NotOffered::NothingBuilt)
            }
            Err(ReleaseError::NotReady(_)) => Err(NotOffered::NotReady),
        }
    }

    fn bids(&self) -> watch::Receiver<Option<Bid>> {
        self.bids.clone()
    }

    fn head(&self) -> Head {
        let head = self.requests.node().head();
        Head {
            number: head.number,
            hash: head.hash,
        }
    }

    fn jobs(&self) -> usize {
        self.requests.builder().live_jobs()
    }
}

struct ShownBlock<H: Host> {
    requests: Requests<H>,
    offer: Offered<H::Artifact>,
}

impl<H: Host> OfferedBlock for ShownBlock<H> {
    fn block(&self) -> &Arc<SealedBlock> {
        self.offer.block()
    }

    fn fork(&self) -> OpFork {
        self.offer.fork
    }

    fn value_for(&self, fee_recipient: Address) -> U256 {
        let increase = self.requests.balance_increase(self.block(), fee_recipient);
        increase.unwrap_or_default()
    }

    fn reveal(&self) -> Vec<Bytes> {
        self.requests.reveal(&self.offer)
    }
}

/// Tells of the payload that was started last as it grows, until the builder ends, and has its transactions
/// hashed where somebody may ask for its header.
async fn follow<H: Host>(
    builder: BuilderHandle<H>,
    desk: Arc<BlindDesk>,
    bids: watch::Sender<Option<Bid>>,
) {
    let mut newest = builder.newest();
    let mut hashing: Option<JoinHandle<()>> = None;
    let mut tell = |id, payload: &Payload<_>| {
        bids.send_replace(Some(bid(id, payload)));
        // One at a time: the next one does what this one is too early for.
        let is_busy = hashing.as_ref().is_some_and(|task| !task.is_finished());
        if !is_busy && desk.is_expecting() {
            let (desk, parts) = (Arc::clone(&desk), payload.parts().to_vec());
            hashing = Some(tokio::task::spawn_blocking(move || desk.prepare(&parts)));
        }
    };
    loop {
        let id = *newest.borrow_and_update();
        let mut followed = id.and_then(|id| Some((id, builder.subscribe(id).ok()?)));
        if let Some((id, payload)) = &followed
            && let Some(payload) = payload.best()
        {
            tell(*id, &payload);
        }
        loop {
            let grown = async {
                match &mut followed {
                    Some((id, payload)) => payload.changed().await.map(|payload| (*id, payload)),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = newest.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    break;
                }
                grown = grown => match grown {
                    Some((id, payload)) => tell(id, &payload),
                    None => followed = None,
                },
            }
        }
    }
}

fn bid<A>(payload_id: PayloadId, payload: &Payload<A>) -> Bid {
    let header = payload.header();
    let (block_hash, value) = match payload {
        Payload::Sealed(best) => (Some(best.block.hash), best.block.value),
        Payload::Unrooted(block) => (None, block.value),
    };
    Bid {
        payload_id,
        flashblock_index: U64::from(payload.parts().len().saturating_sub(1)),
        slot: U64::from(header.number),
        parent_hash: header.parent_hash,
        block_hash,
        proposer_fee_recipient: header.beneficiary,
        gas_limit: U64::from(header.gas_limit),
        gas_used: U64::from(header.gas_used),
        value,
        seen_at: Instant::now(),
    }
}
