//! What a job took of one sender.

use alloy_primitives::B256;
use blockwright_seams::Candidate;

use crate::sender::Sighting;

/// Consecutive transactions of one sender in a job's hands. Belongs to the job's thread alone.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Nonce that the job could include next; `None` until the job first looked.
    pub(crate) next: Option<u64>,
    /// Transaction last offered at that nonce.
    offered: Option<B256>,
    /// What follows it, last nonce first.
    ahead: Vec<Candidate>,
    sighting: Option<Sighting>,
}

impl Taken {
    /// Takes over a run that begins with the next nonce. Returns its first one unless that was
    /// offered already.
    pub(crate) fn take_run(
        &mut self,
        run: impl Iterator<Item = Candidate>,
        sighting: Sighting,
    ) -> Option<Candidate> {
        self.ahead.clear();
        self.ahead.extend(run);
        self.ahead.reverse();
        self.sighting = Some(sighting);
        let first = self.ahead.pop()?;
        let hash = Some(first.tx.hash);
        (std::mem::replace(&mut self.offered, hash) != hash).then_some(first)
    }

    /// Goes on to `nonce` and offers what was taken for it, if all that was taken is still pooled.
    pub(crate) fn advance(&mut self, nonce: u64) -> Option<Candidate> {
        self.next = Some(nonce);
        self.offered = None;
        if !self.sighting.as_ref().is_some_and(Sighting::is_current) {
            self.ahead.clear();
            return None;
        }
        let next = self.ahead.pop()?;
        if next.tx.nonce() != nonce {
            self.ahead.clear();
            return None;
        }
        self.offered = Some(next.tx.hash);
        Some(next)
    }

    /// The account's nonce moved to `nonce` within the job's block. `false` where the job was there
    /// already.
    pub(crate) fn skip_to(&mut self, nonce: u64) -> bool {
        if self.next.is_some_and(|next| next >= nonce) {
            return false;
        }
        self.next = Some(nonce);
        self.offered = None;
        self.ahead.clear();
        true
    }
}
