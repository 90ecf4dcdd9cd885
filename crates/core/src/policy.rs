//! The default policy.

use blockwright_seams::{Candidate, Policy, Rank};

/// Priority order: the largest effective tip first, nonce order within a sender, arrival as
/// tie-break. Zero tips are welcome. Written on the same trait a third party would use:
///
/// ```
/// use blockwright_core::PriorityOrder;
/// use blockwright_seams::{Admission, Candidate, Policy, Rank, SlotView};
///
/// /// Priority order that takes no transaction of more than a million gas.
/// struct Small;
///
/// impl Policy for Small {
///     fn name(&self) -> &'static str {
///         "small"
///     }
///     fn order(&self, candidate: &Candidate, base_fee: u64) -> Option<Rank> {
///         PriorityOrder.order(candidate, base_fee)
///     }
///     fn admit(&mut self, candidate: &Candidate, _slot: &SlotView) -> Admission {
///         if candidate.tx.gas_limit().0 <= 1_000_000 {
///             Admission::Admit
///         } else {
///             Admission::Refuse(blockwright_types::SkipReason::Policy("over a million gas"))
///         }
///     }
/// }
/// # assert_eq!(Small.name(), "small");
/// ```
///
/// A policy with state is worked out in `examples/per_sender_limit.rs`.
#[derive(Clone, Copy, Debug, Default)]
pub struct PriorityOrder;

impl Policy for PriorityOrder {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn order(&self, candidate: &Candidate, base_fee: u64) -> Option<Rank> {
        candidate.tx.effective_tip(base_fee).map(Rank)
    }
}
