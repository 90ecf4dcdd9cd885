//! `eth_sendRawTransactionSync` (EIP-7966): send a transaction and wait for its receipt.

use std::sync::Arc;
use std::time::Duration;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes, keccak256};
use blockwright_pending::PendingBlock;
use blockwright_pool::PoolError;
use blockwright_state::CanonUpdate;
use op_alloy_rpc_types::OpTransactionReceipt;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::{EthApi, RpcError, metrics};

/// The method that sends one and waits.
pub(crate) const SEND_SYNC: &str = "eth_sendRawTransactionSync";

/// Whatever may have brought a transaction into a block.
struct News {
    flashblocks: Option<broadcast::Receiver<Arc<PendingBlock>>>,
    heads: broadcast::Receiver<Arc<CanonUpdate>>,
}

impl News {
    /// Waits for the next flashblock or head. Having missed some is news as well.
    async fn next(&mut self) -> Result<(), RpcError> {
        let flashblock = async {
            match &mut self.flashblocks {
                Some(flashblocks) => flashblocks.recv().await.map(drop),
                None => std::future::pending().await,
            }
        };
        let heard = tokio::select! {
            heard = flashblock => heard,
            heard = self.heads.recv() => heard.map(drop),
        };
        match heard {
            Ok(()) | Err(broadcast::error::RecvError::Lagged(_)) => Ok(()),
            Err(broadcast::error::RecvError::Closed) => {
                Err(RpcError::Internal("the node is stopping".to_owned()))
            }
        }
    }
}

impl EthApi {
    /// `eth_sendRawTransactionSync`. What becomes of the transaction is listened for before it is sent,
    /// and looked at before every wait, so that no event can be missed. One that is known already, or
    /// in a block already, is waited for all the same.
    pub(crate) async fn send_raw_transaction_sync(
        &self,
        encoded: Bytes,
        timeout_ms: Option<u64>,
    ) -> Result<OpTransactionReceipt, RpcError> {
        let Ok(_place) = self.sync_places().try_acquire() else {
            metrics::sync_refused();
            return Err(RpcError::Busy);
        };
        let _waiting = metrics::SyncWaiting::begin();
        let timeout = self.sync_timeout(timeout_ms);
        let deadline = Instant::now() + timeout;
        let mut news = self.news();
        let hash = keccak256(&encoded);
        let mut pooled = match self.intake.send(encoded).await {
            // What the sequencer took may still be refused by the pool here, and is waited for.
            Ok(_) => !self.intake.asks_sequencer(),
            // Pooled, or about to be.
            Err(RpcError::Rejected(PoolError::AlreadyKnown(_))) => false,
            // What is in a block already is refused as well.
            Err(error) => return self.receipt_by_hash(hash).ok_or(error),
        };
        self.check_gap(&hash)?;
        loop {
            // In this order: what leaves the pool because it is in a block has a receipt then.
            let is_pooled = self.deps.pool.get(&hash).is_some();
            if let Some(receipt) = self.receipt_by_hash(hash) {
                return Ok(receipt);
            }
            if pooled && !is_pooled {
                return Err(RpcError::LeftPool(hash));
            }
            pooled = is_pooled;
            match tokio::time::timeout_at(deadline, news.next()).await {
                Ok(heard) => heard?,
                Err(_) => return Err(RpcError::NotIncluded { hash, timeout }),
            }
        }
    }

    /// The time a caller may wait: what it asks for where that is between one millisecond and the
    /// greatest, else the configured one.
    fn sync_timeout(&self, asked_ms: Option<u64>) -> Duration {
        let limits = &self.deps.limits;
        asked_ms
            .map(Duration::from_millis)
            .filter(|asked| !asked.is_zero() && *asked <= limits.sync_timeout_max)
            .unwrap_or(limits.sync_timeout)
    }

    fn news(&self) -> News {
        let overlay = self.deps.overlay.as_ref();
        News {
            flashblocks: overlay.map(|overlay| overlay.pending.subscribe()),
            heads: (self.deps.heads)(),
        }
    }

    /// Refuses to wait for a transaction that cannot run before others of its sender arrive.
    fn check_gap(&self, hash: &B256) -> Result<(), RpcError> {
        let Some(tx) = self.deps.pool.get(hash) else {
            return Ok(());
        };
        let pending = BlockId::Number(BlockNumberOrTag::Pending);
        let expected = self.nonce(tx.sender, pending)?;
        if tx.nonce() > expected {
            return Err(RpcError::NonceGap {
                expected,
                nonce: tx.nonce(),
            });
        }
        Ok(())
    }
}
