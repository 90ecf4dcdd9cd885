//! EIP-1559 parameters in the header's `extraData`
//! (specs: holocene/exec-engine "EIP-1559 parameters in block header", jovian/exec-engine).

use alloy_primitives::Bytes;
use blockwright_types::OpFork;

const HOLOCENE_VERSION: u8 = 0;
const JOVIAN_VERSION: u8 = 1;
const HOLOCENE_BYTES: usize = 9;
const JOVIAN_BYTES: usize = 17;

/// The fee parameters that a Holocene or later header carries for its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeParams {
    /// Base fee change denominator, at least 1.
    pub denominator: u32,
    /// Elasticity multiplier, at least 1.
    pub elasticity: u32,
    /// Least base fee of the next block in wei; written from Jovian, zero before.
    pub min_base_fee: u64,
}

/// Why `extraData` does not follow its fork's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtraDataError {
    /// Its length is not the fork's.
    #[error("extraData must be {expected} bytes under {fork}, got {got}")]
    Length {
        /// Fork of the block.
        fork: OpFork,
        /// Length of the format.
        expected: usize,
        /// Length found.
        got: usize,
    },
    /// Its first byte is not the fork's version.
    #[error("extraData version must be {expected} under {fork}, got {got}")]
    Version {
        /// Fork of the block.
        fork: OpFork,
        /// Version of the format.
        expected: u8,
        /// Version found.
        got: u8,
    },
    /// The encoded denominator is zero.
    #[error("extraData encodes a zero EIP-1559 denominator")]
    ZeroDenominator,
    /// The encoded elasticity is zero.
    #[error("extraData encodes a zero EIP-1559 elasticity")]
    ZeroElasticity,
}

/// Reads the `extraData` of a block under `fork`; `None` before Holocene, where it must be empty.
pub fn decode_extra_data(
    fork: OpFork,
    extra_data: &[u8],
) -> Result<Option<FeeParams>, ExtraDataError> {
    let (expected, version) = if fork >= OpFork::Jovian {
        (JOVIAN_BYTES, JOVIAN_VERSION)
    } else if fork >= OpFork::Holocene {
        (HOLOCENE_BYTES, HOLOCENE_VERSION)
    } else if extra_data.is_empty() {
        return Ok(None);
    } else {
        return Err(length(fork, 0, extra_data));
    };
    if extra_data.len() != expected {
        return Err(length(fork, expected, extra_data));
    }
    let [got, rest @ ..] = extra_data else {
        return Err(length(fork, expected, extra_data));
    };
    if *got != version {
        return Err(ExtraDataError::Version {
            fork,
            expected: version,
            got: *got,
        });
    }
    let params = FeeParams {
        denominator: big_endian(&rest[..4]) as u32,
        elasticity: big_endian(&rest[4..8]) as u32,
        min_base_fee: big_endian(&rest[8..]),
    };
    if params.denominator == 0 {
        Err(ExtraDataError::ZeroDenominator)
    } else if params.elasticity == 0 {
        Err(ExtraDataError::ZeroElasticity)
    } else {
        Ok(Some(params))
    }
}

/// Writes the `extraData` of a block under `fork`: empty before Holocene, without the minimum base
/// fee before Jovian.
pub fn encode_extra_data(fork: OpFork, params: &FeeParams) -> Bytes {
    if fork < OpFork::Holocene {
        return Bytes::new();
    }
    let jovian = fork >= OpFork::Jovian;
    let mut bytes = Vec::with_capacity(JOVIAN_BYTES);
    bytes.push(if jovian {
        JOVIAN_VERSION
    } else {
        HOLOCENE_VERSION
    });
    bytes.extend_from_slice(&params.denominator.to_be_bytes());
    bytes.extend_from_slice(&params.elasticity.to_be_bytes());
    if jovian {
        bytes.extend_from_slice(&params.min_base_fee.to_be_bytes());
    }
    bytes.into()
}

const fn length(fork: OpFork, expected: usize, extra_data: &[u8]) -> ExtraDataError {
    ExtraDataError::Length {
        fork,
        expected,
        got: extra_data.len(),
    }
}

/// At most eight bytes as a number; none is zero.
fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    const OP: FeeParams = FeeParams {
        denominator: 250,
        elasticity: 6,
        min_base_fee: 0,
    };

    #[test]
    fn formats_are_those_of_the_specs() {
        assert!(encode_extra_data(OpFork::Granite, &OP).is_empty());
        assert_eq!(
            encode_extra_data(OpFork::Holocene, &OP).as_ref(),
            hex!("00000000fa00000006")
        );
        let with_floor = FeeParams {
            min_base_fee: 0x0102,
            ..OP
        };
        assert_eq!(
            encode_extra_data(OpFork::Karst, &with_floor).as_ref(),
            hex!("01000000fa000000060000000000000102")
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        for fork in OpFork::ALL {
            let params = FeeParams {
                min_base_fee: if fork >= OpFork::Jovian { u64::MAX } else { 0 },
                ..OP
            };
            let read = decode_extra_data(fork, &encode_extra_data(fork, &params)).unwrap();
            assert_eq!(read, (fork >= OpFork::Holocene).then_some(params));
        }
    }

    #[test]
    fn each_flaw_has_its_error() {
        let holocene = hex!("00000000fa00000006");
        let jovian = hex!("01000000fa000000060000000000000000");
        let length = |fork, expected, got| {
            Err(ExtraDataError::Length {
                fork,
                expected,
                got,
            })
        };
        assert_eq!(
            decode_extra_data(OpFork::Granite, &holocene),
            length(OpFork::Granite, 0, 9)
        );
        assert_eq!(
            decode_extra_data(OpFork::Holocene, &[]),
            length(OpFork::Holocene, 9, 0)
        );
        assert_eq!(
            decode_extra_data(OpFork::Isthmus, &jovian),
            length(OpFork::Isthmus, 9, 17)
        );
        assert_eq!(
            decode_extra_data(OpFork::Jovian, &holocene),
            length(OpFork::Jovian, 17, 9)
        );
        let version = decode_extra_data(OpFork::Holocene, &hex!("01000000fa00000006"));
        assert_eq!(
            version,
            Err(ExtraDataError::Version {
                fork: OpFork::Holocene,
                expected: 0,
                got: 1
            })
        );
        assert_eq!(
            decode_extra_data(OpFork::Holocene, &hex!("000000000000000006")),
            Err(ExtraDataError::ZeroDenominator)
        );
        assert_eq!(
            decode_extra_data(OpFork::Holocene, &hex!("00000000fa00000000")),
            Err(ExtraDataError::ZeroElasticity)
        );
    }
}
