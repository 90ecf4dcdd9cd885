//! What the builder's outlets ask of the node they are in.

use alloy_consensus::Header;
use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use blockwright_requests::BuildingNode;
use blockwright_service::BuilderHandle;
use futures_util::StreamExt as _;
use reth_provider::{BlockNumReader, CanonStateSubscriptions};
use tokio::sync::watch;

use crate::host::{Chain, OpTransactions, RethHost};

/// op-reth's blocks, stored and in memory.
#[derive(Clone, Debug)]
pub(crate) struct Stored<P> {
    provider: P,
    imports: watch::Receiver<u64>,
}

impl<P: Chain + CanonStateSubscriptions> Stored<P> {
    /// The blocks of `provider`, and what follows them from now on; to be run. Of what `builder` built and the chain
    /// has taken, the texts that were written for the stream are let go.
    pub(crate) fn follow<Pool: OpTransactions>(
        provider: P,
        builder: BuilderHandle<RethHost<P, Pool>>,
    ) -> (Self, impl Future<Output = ()> + Send + use<P, Pool>) {
        let (count, imports) = watch::channel(0);
        let mut chain = provider.canonical_state_stream();
        let following = async move {
            while let Some(change) = chain.next().await {
                count.send_modify(|count| *count += 1);
                let Some(best) = builder.built(change.tip().hash()) else {
                    continue;
                };
                for part in &best.block.parts {
                    part.forget_transactions_json();
                }
            }
        };
        (Self { provider, imports }, following)
    }
}

impl<P: Chain + BlockNumReader> BuildingNode for Stored<P> {
    fn header(&self, hash: B256) -> Option<Header> {
        match self.provider.header(hash) {
            Ok(header) => header,
            Err(error) => {
                tracing::warn!(%hash, %error, "a header cannot be read");
                None
            }
        }
    }

    fn has_state(&self, hash: B256) -> bool {
        self.provider.state_by_block_hash(hash).is_ok()
    }

    fn head(&self) -> BlockNumHash {
        match self.provider.chain_info() {
            Ok(info) => info.into(),
            Err(error) => {
                tracing::warn!(%error, "the head cannot be read");
                BlockNumHash::default()
            }
        }
    }

    fn imports(&self) -> watch::Receiver<u64> {
        self.imports.clone()
    }
}
