//! The embedded host with transactions that take virtual time.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_engine::EmbeddedHost;
use blockwright_exec::ExecBlock;
use blockwright_pool::PoolCandidates;
use blockwright_seams::{
    Closing, Host, HostError, OpenBlock, Previewed, RootsReply, Sealed, SimError, Simulated, Stale,
    Wake,
};
use blockwright_state::{StateReader, TrieDelta, TrieSession};
use blockwright_testkit::ManualClock;
use blockwright_types::{AccountPost, BlockContext, BuildRequest, Changes, Roots, SharedTx, Usage};

/// The machine of the scripts runs 1 Ggas/s.
const GAS_PER_US: u64 = 1_000;

/// The embedded host on a machine whose speed does not depend on the machine it runs on.
#[derive(Clone)]
pub struct TimedHost {
    inner: EmbeddedHost,
    clock: Arc<ManualClock>,
}

impl TimedHost {
    pub const fn new(inner: EmbeddedHost, clock: Arc<ManualClock>) -> Self {
        Self { inner, clock }
    }
}

impl Host for TimedHost {
    type Reader = StateReader;
    type Artifact = TrieDelta;
    type Open = TimedBlock;
    type Roots = TrieSession;
    type Candidates = PoolCandidates;

    fn reader(&self, parent: B256) -> Result<StateReader, HostError> {
        self.inner.reader(parent)
    }

    fn open(&self, request: &BuildRequest) -> Result<TimedBlock, HostError> {
        Ok(TimedBlock {
            inner: self.inner.open(request)?,
            clock: Arc::clone(&self.clock),
        })
    }

    fn roots(&self, parent: B256, reply: RootsReply<TrieDelta>) -> Result<TrieSession, HostError> {
        self.inner.roots(parent, reply)
    }

    fn candidates(&self, request: &BuildRequest, wake: Wake) -> PoolCandidates {
        self.inner.candidates(request, wake)
    }

    fn closing(&self, request: &BuildRequest) -> Option<Box<dyn Closing>> {
        self.inner.closing(request)
    }
}

/// A real block whose simulations move the clock.
pub struct TimedBlock {
    inner: ExecBlock<StateReader>,
    clock: Arc<ManualClock>,
}

impl OpenBlock for TimedBlock {
    type Sim = <ExecBlock<StateReader> as OpenBlock>::Sim;

    fn context(&self) -> &BlockContext {
        self.inner.context()
    }

    fn usage(&self) -> Usage {
        self.inner.usage()
    }

    fn value(&self) -> U256 {
        self.inner.value()
    }

    fn account(&mut self, address: Address) -> Result<AccountPost, SimError> {
        self.inner.account(address)
    }

    fn da_footprint_gas_scalar(&self) -> u64 {
        self.inner.da_footprint_gas_scalar()
    }

    fn simulate(&mut self, tx: &SharedTx) -> Result<Self::Sim, SimError> {
        let sim = self.inner.simulate(tx)?;
        self.clock.tick((sim.gas_used().0 / GAS_PER_US).max(1));
        Ok(sim)
    }

    fn commit(&mut self, sim: Self::Sim) -> Result<(), Stale> {
        self.inner.commit(sim)
    }

    fn take_changes(&mut self) -> Option<Arc<Changes>> {
        self.inner.take_changes()
    }

    fn cut(&mut self, index: u64) {
        self.inner.cut(index);
    }

    fn seal(&mut self, index: u64, roots: &Roots) -> Sealed {
        self.inner.seal(index, roots)
    }

    fn preview(&mut self, index: u64) -> Previewed {
        self.inner.preview(index)
    }
}
