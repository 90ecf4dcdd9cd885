//! Which method serves which fork.

use alloy_primitives::B256;
use blockwright_types::{OpFork, PayloadId};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

/// A method that does not serve a fork; -38005 of the Engine API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unsupported fork: {method} does not serve {fork}")]
pub struct UnsupportedFork {
    /// The method called.
    pub method: &'static str,
    /// Fork at the payload's timestamp.
    pub fork: OpFork,
}

/// `engine_forkchoiceUpdatedV…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForkchoiceVersion {
    /// Attributes before Canyon.
    V1,
    /// Attributes before Ecotone.
    V2,
    /// Attributes from Ecotone.
    V3,
}

/// `engine_newPayloadV…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NewPayloadVersion {
    /// Before Canyon.
    V1,
    /// Before Ecotone.
    V2,
    /// Ecotone to Holocene.
    V3,
    /// From Isthmus.
    V4,
}

/// `engine_getPayloadV…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GetPayloadVersion {
    /// Before Canyon.
    V1,
    /// Before Ecotone.
    V2,
    /// Ecotone to Holocene.
    V3,
    /// Isthmus and Jovian.
    V4,
    /// From Karst.
    V5,
}

impl ForkchoiceVersion {
    /// Whether attributes of `fork` may come by this method.
    pub fn check(self, fork: OpFork) -> Result<(), UnsupportedFork> {
        let (method, serves) = match self {
            Self::V1 => ("engine_forkchoiceUpdatedV1", fork < OpFork::Canyon),
            Self::V2 => ("engine_forkchoiceUpdatedV2", fork < OpFork::Ecotone),
            Self::V3 => ("engine_forkchoiceUpdatedV3", fork >= OpFork::Ecotone),
        };
        supported(method, fork, serves)
    }

    /// The method for attributes of `fork`.
    pub fn of(fork: OpFork) -> Self {
        if fork >= OpFork::Ecotone {
            Self::V3
        } else {
            Self::V2
        }
    }

    /// The method by which a consensus client asks for a block of `fork`: the first that knows it.
    pub fn first_of(fork: OpFork) -> Self {
        if fork < OpFork::Canyon {
            Self::V1
        } else {
            Self::of(fork)
        }
    }

    /// The id of the payload that `attributes` ask for by this method. Clients number ids by the method that
    /// made them; of the newest method the number is `newest`.
    pub fn payload_id(
        self,
        newest: u8,
        parent_hash: B256,
        attributes: &OpPayloadAttributes,
    ) -> PayloadId {
        let number = match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => newest,
        };
        attributes.payload_id(&parent_hash, number)
    }
}

impl NewPayloadVersion {
    /// Whether payloads of `fork` may come by this method.
    pub fn check(self, fork: OpFork) -> Result<(), UnsupportedFork> {
        let isthmus = fork >= OpFork::Isthmus;
        let (method, serves) = match self {
            Self::V1 => ("engine_newPayloadV1", fork < OpFork::Canyon),
            Self::V2 => ("engine_newPayloadV2", fork < OpFork::Ecotone),
            Self::V3 => ("engine_newPayloadV3", fork >= OpFork::Ecotone && !isthmus),
            Self::V4 => ("engine_newPayloadV4", isthmus),
        };
        supported(method, fork, serves)
    }

    /// The method for payloads of `fork`.
    pub fn of(fork: OpFork) -> Self {
        if fork >= OpFork::Isthmus {
            Self::V4
        } else if fork >= OpFork::Ecotone {
            Self::V3
        } else {
            Self::V2
        }
    }
}

impl GetPayloadVersion {
    /// Whether payloads of `fork` may be asked for by this method.
    pub fn check(self, fork: OpFork) -> Result<(), UnsupportedFork> {
        let isthmus = fork >= OpFork::Isthmus;
        let karst = fork >= OpFork::Karst;
        let (method, serves) = match self {
            Self::V1 => ("engine_getPayloadV1", fork < OpFork::Canyon),
            Self::V2 => ("engine_getPayloadV2", fork < OpFork::Ecotone),
            Self::V3 => ("engine_getPayloadV3", fork >= OpFork::Ecotone && !isthmus),
            Self::V4 => ("engine_getPayloadV4", isthmus && !karst),
            Self::V5 => ("engine_getPayloadV5", karst),
        };
        supported(method, fork, serves)
    }

    /// The method for payloads of `fork`.
    pub fn of(fork: OpFork) -> Self {
        if fork >= OpFork::Karst {
            Self::V5
        } else if fork >= OpFork::Isthmus {
            Self::V4
        } else if fork >= OpFork::Ecotone {
            Self::V3
        } else {
            Self::V2
        }
    }
}

const fn supported(
    method: &'static str,
    fork: OpFork,
    serves: bool,
) -> Result<(), UnsupportedFork> {
    if serves {
        Ok(())
    } else {
        Err(UnsupportedFork { method, fork })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_fork_has_its_method() {
        for fork in OpFork::ALL {
            ForkchoiceVersion::of(fork).check(fork).unwrap();
            NewPayloadVersion::of(fork).check(fork).unwrap();
            GetPayloadVersion::of(fork).check(fork).unwrap();
        }
        assert_eq!(GetPayloadVersion::of(OpFork::Karst), GetPayloadVersion::V5);
        assert_eq!(NewPayloadVersion::of(OpFork::Karst), NewPayloadVersion::V4);
        assert_eq!(GetPayloadVersion::of(OpFork::Jovian), GetPayloadVersion::V4);
    }

    #[test]
    fn a_method_of_another_fork_is_refused_by_name() {
        let error = GetPayloadVersion::V4.check(OpFork::Karst).unwrap_err();
        assert!(error.to_string().contains("engine_getPayloadV4"), "{error}");
        assert!(ForkchoiceVersion::V3.check(OpFork::Canyon).is_err());
        assert!(ForkchoiceVersion::V2.check(OpFork::Ecotone).is_err());
        assert!(NewPayloadVersion::V3.check(OpFork::Isthmus).is_err());
        assert!(NewPayloadVersion::V1.check(OpFork::Canyon).is_err());
    }
}
