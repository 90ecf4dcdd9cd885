//! op-reth behind the builder's seams.

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_exec::ExecBlock;
use blockwright_root_thread::RootThread;
use blockwright_seams::{Closing, Host, HostError, MakeClosing, RootsReply, Wake};
use blockwright_types::BuildRequest;
use op_alloy_consensus::OpTxEnvelope;
use reth_provider::{HeaderProvider, ProviderError, StateProviderBox, StateProviderFactory};
use reth_revm::database::StateProviderDatabase;
use reth_transaction_pool::{PoolTransaction, TransactionPool};

use crate::candidates::{Arrivals, PoolCandidates};
use crate::roots::{BlockTrie, TrieArtifact};

/// The node's stored chain.
pub(crate) trait Chain:
    StateProviderFactory + HeaderProvider<Header = Header> + Clone + Send + Sync + 'static
{
}

impl<T> Chain for T where
    T: StateProviderFactory + HeaderProvider<Header = Header> + Clone + Send + Sync + 'static
{
}

/// The node's transaction pool.
pub(crate) trait OpTransactions:
    TransactionPool<Transaction: PoolTransaction<Consensus = OpTxEnvelope>> + Clone + 'static
{
}

impl<T> OpTransactions for T where
    T: TransactionPool<Transaction: PoolTransaction<Consensus = OpTxEnvelope>> + Clone + 'static
{
}

/// op-reth's database and pool with the EVM of all hosts.
#[derive(Clone)]
pub(crate) struct RethHost<P, Pool> {
    provider: P,
    pool: Pool,
    arrivals: Arrivals,
    closing: Option<MakeClosing>,
}

impl<P: Chain, Pool: OpTransactions> RethHost<P, Pool> {
    /// A host over these parts. Called on a tokio runtime, on which pools are followed from then on.
    pub(crate) fn new(provider: P, pool: Pool, closing: Option<MakeClosing>) -> Self {
        Self {
            provider,
            pool,
            arrivals: Arrivals::new(),
            closing,
        }
    }

    fn state(&self, block: B256) -> Result<StateProviderBox, HostError> {
        self.provider
            .state_by_block_hash(block)
            .map_err(|error| refused(block, error))
    }
}

fn refused(block: B256, error: ProviderError) -> HostError {
    match error {
        ProviderError::StateForHashNotFound(_)
        | ProviderError::BlockHashNotFound(_)
        | ProviderError::UnknownBlockHash(_) => HostError::UnknownParent(block),
        other => HostError::Internal(Box::new(other)),
    }
}

impl<P: Chain, Pool: OpTransactions> Host for RethHost<P, Pool> {
    type Reader = StateProviderDatabase<StateProviderBox>;
    type Artifact = TrieArtifact;
    type Open = ExecBlock<Self::Reader>;
    type Roots = RootThread<TrieArtifact>;
    type Candidates = PoolCandidates<Pool>;

    fn reader(&self, parent: B256) -> Result<Self::Reader, HostError> {
        Ok(StateProviderDatabase::new(self.state(parent)?))
    }

    fn open(&self, request: &BuildRequest) -> Result<Self::Open, HostError> {
        let reader = self.reader(request.context.parent_hash)?;
        let transactions = &request.sequencer_transactions;
        ExecBlock::open(request.context.clone(), reader, transactions, request.id)
    }

    fn roots(
        &self,
        parent: B256,
        reply: RootsReply<TrieArtifact>,
    ) -> Result<Self::Roots, HostError> {
        let state = self.state(parent)?;
        let open = move || Ok(BlockTrie::new(state));
        Ok(RootThread::start(parent, open, reply))
    }

    fn candidates(&self, request: &BuildRequest, wake: Wake) -> Self::Candidates {
        let parent = request.context.parent_hash;
        let state = self.state(parent).inspect_err(|error| {
            tracing::error!(%parent, %error, "the parent's state cannot be read: nothing of the pool enters the block");
        });
        PoolCandidates::new(self.pool.clone(), &self.arrivals, state.ok(), wake)
    }

    fn closing(&self, request: &BuildRequest) -> Option<Box<dyn Closing>> {
        self.closing.as_ref().and_then(|make| make(request))
    }
}
