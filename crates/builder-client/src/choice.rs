//! Which of two blocks to propose.

use std::borrow::Cow;

use blockwright_payload::ExecutionPayload;

use crate::{ClientError, Lie, Offer};

/// The block to propose.
#[derive(Debug)]
pub enum Choice {
    /// The builder's, once the proposer's execution client has found it valid.
    Builder(Box<Offer>),
    /// The proposer's own.
    Local {
        /// The block.
        payload: Box<ExecutionPayload>,
        /// Why not the builder's.
        reason: Reason,
    },
}

/// Why a proposer's own block is taken.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// There is no offer.
    #[error(transparent)]
    NoOffer(#[from] ClientError),
    /// The offer contradicts the attributes.
    #[error("the offer contradicts the attributes: {0}")]
    Contradiction(#[from] Lie),
    /// The offer's block is the emptier one.
    #[error("the offer's block uses {offered} gas, less than the {local} of our own")]
    LessGas {
        /// Gas of the offer.
        offered: u64,
        /// Gas of the local block.
        local: u64,
    },
}

impl Reason {
    /// A short name that stays the same: that of the error or of the lie, or `less_gas`.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::NoOffer(error) => error.name(),
            Self::Contradiction(lie) => lie.name(),
            Self::LessGas { .. } => Cow::Borrowed("less_gas"),
        }
    }
}

/// The builder's block where it agrees with the local one in all that the attributes settle and uses at
/// least as much gas; else the local one.
pub fn choose(local: ExecutionPayload, offer: Result<Offer, ClientError>) -> Choice {
    match judged(&local, offer) {
        Ok(offer) => Choice::Builder(Box::new(offer)),
        Err(reason) => Choice::Local {
            payload: Box::new(local),
            reason,
        },
    }
}

fn judged(local: &ExecutionPayload, offer: Result<Offer, ClientError>) -> Result<Offer, Reason> {
    let offer = offer?;
    offer.check_against(local)?;
    let (offered, local) = (offer.payload.gas_used, local.gas_used);
    if offered < local {
        return Err(Reason::LessGas { offered, local });
    }
    Ok(offer)
}
