//! A host with transactions that take virtual time.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use blockwright_seams::{
    Closing, Host, HostError, OpenBlock, Previewed, RootsReply, Sealed, SimError, Simulated, Stale,
    Wake,
};
use blockwright_testkit::ManualClock;
use blockwright_types::{AccountPost, BlockContext, BuildRequest, Changes, Roots, SharedTx, Usage};

/// The machine of the scripts runs 1 Ggas/s.
const GAS_PER_US: u64 = 1_000;

/// A host on a machine whose speed does not depend on the machine it runs on.
#[derive(Clone)]
pub struct TimedHost<H> {
    inner: H,
    clock: Arc<ManualClock>,
}

impl<H> TimedHost<H> {
    pub const fn new(inner: H, clock: Arc<ManualClock>) -> Self {
        Self { inner, clock }
    }
}

impl<H: Host> Host for TimedHost<H> {
    type Reader = H::Reader;
    type Artifact = H::Artifact;
    type Open = TimedBlock<H::Open>;
    type Roots = H::Roots;
    type Candidates = H::Candidates;

    fn reader(&self, parent: B256) -> Result<H::Reader, HostError> {
        self.inner.reader(parent)
    }

    fn open(&self, request: &BuildRequest) -> Result<Self::Open, HostError> {
        Ok(TimedBlock {
            inner: self.inner.open(request)?,
            clock: Arc::clone(&self.clock),
        })
    }

    fn roots(&self, parent: B256, reply: RootsReply<H::Artifact>) -> Result<H::Roots, HostError> {
        self.inner.roots(parent, reply)
    }

    fn candidates(&self, request: &BuildRequest, wake: Wake) -> H::Candidates {
        self.inner.candidates(request, wake)
    }

    fn closing(&self, request: &BuildRequest) -> Option<Box<dyn Closing>> {
        self.inner.closing(request)
    }
}

/// A real block whose simulations move the clock.
pub struct TimedBlock<O> {
    inner: O,
    clock: Arc<ManualClock>,
}

impl<O: OpenBlock> OpenBlock for TimedBlock<O> {
    type Sim = O::Sim;

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
