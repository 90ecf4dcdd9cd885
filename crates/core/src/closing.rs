//! The transaction that the block ends with.

use blockwright_seams::{ClosingView, Host, OpenBlock, SimError, Simulated};
use blockwright_types::{SharedTx, SkipReason};

use crate::JobFault;
use crate::job::Job;

impl<H: Host> Job<H> {
    /// Adds the block's last transaction, if it is to have one. To be called when the last planned
    /// flashblock is cut: nothing is committed after it.
    pub(crate) fn close_block(&mut self) {
        let Some(mut closing) = self.closing.take() else {
            return;
        };
        let sender = match self.open.account(closing.sender()) {
            Ok(sender) => sender,
            Err(SimError::Rejected(reason)) => return closing.done(Err(&reason)),
            Err(SimError::Fault(source)) => return self.fail(JobFault::Closing { source }),
        };
        let view = ClosingView {
            value: self.open.value(),
            base_fee: self.open.context().base_fee,
            sender,
        };
        let Some(tx) = closing.transaction(&view) else {
            return;
        };
        match self.commit_closing(&tx) {
            Ok(()) => closing.done(Ok(())),
            Err(SimError::Rejected(reason)) => closing.done(Err(&reason)),
            Err(SimError::Fault(source)) => self.fail(JobFault::Execution {
                tx: tx.hash,
                source,
            }),
        }
    }

    fn commit_closing(&mut self, tx: &SharedTx) -> Result<(), SimError> {
        let sim = self.open.simulate(tx)?;
        if !sim.success() {
            return Err(SkipReason::Policy("the closing transaction fails").into());
        }
        let (adds, gas) = (sim.usage(), sim.gas_used());
        let whole = self.shares().whole();
        if let Some(over) = whole.exceeded_by(&self.open.usage().plus(adds)) {
            return Err(SkipReason::OverBudget(over).into());
        }
        if self.open.commit(sim).is_err() {
            // It ran on the committed state a moment ago.
            self.fail(JobFault::StaleTwice { tx: tx.hash });
            return Ok(());
        }
        if let Some(part) = &mut self.part {
            part.report.transactions += 1;
            part.report.gas += gas;
        }
        Ok(())
    }
}
