//! Calldata of the L1 attributes deposit, the first transaction of every block
//! (specs: "L1 attributes" of Bedrock, Ecotone, Isthmus and Jovian).

use alloy_primitives::{Address, B256, Bytes, U256, address};
use blockwright_types::OpFork;

/// Sender of the L1 attributes deposits and of most upgrade transactions.
pub const L1_ATTRIBUTES_DEPOSITOR: Address = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001");

/// DA footprint gas scalar that consensus clients write where the chain's configuration has 0.
pub const DEFAULT_DA_FOOTPRINT_GAS_SCALAR: u16 = 400;

/// Layout of the calldata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum L1AttributesFormat {
    /// `setL1BlockValues(..)`, ABI-encoded.
    Bedrock,
    /// `setL1BlockValuesEcotone()`, packed.
    Ecotone,
    /// `setL1BlockValuesIsthmus()`: Ecotone's and the operator fee.
    Isthmus,
    /// `setL1BlockValuesJovian()`: Isthmus's and the DA footprint gas scalar.
    Jovian,
}

impl L1AttributesFormat {
    const ALL: [Self; 4] = [Self::Bedrock, Self::Ecotone, Self::Isthmus, Self::Jovian];

    /// The format of blocks under `fork`, except a fork's activation block, which still has its
    /// predecessor's.
    pub fn of_fork(fork: OpFork) -> Self {
        if fork >= OpFork::Jovian {
            Self::Jovian
        } else if fork >= OpFork::Isthmus {
            Self::Isthmus
        } else if fork >= OpFork::Ecotone {
            Self::Ecotone
        } else {
            Self::Bedrock
        }
    }

    /// Function selector: the first four bytes.
    pub const fn selector(self) -> [u8; 4] {
        match self {
            Self::Bedrock => [0x01, 0x5d, 0x8e, 0xb9],
            Self::Ecotone => [0x44, 0x0a, 0x5e, 0x20],
            Self::Isthmus => [0x09, 0x89, 0x99, 0xbe],
            Self::Jovian => [0x3d, 0xb6, 0xbe, 0x2b],
        }
    }

    /// Length of the calldata, selector included.
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::Bedrock => 4 + 8 * 32,
            Self::Ecotone => 4 + 5 * 32,
            Self::Isthmus => 4 + 5 * 32 + 12,
            Self::Jovian => 4 + 5 * 32 + 14,
        }
    }
}

/// What an L1 attributes deposit states. Fields that a format lacks are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L1Attributes {
    /// L1 block number of the epoch.
    pub number: u64,
    /// Its timestamp in seconds.
    pub timestamp: u64,
    /// Its base fee in wei.
    pub base_fee: U256,
    /// Its hash.
    pub hash: B256,
    /// Position of the L2 block in the epoch, from 0.
    pub sequence_number: u64,
    /// The batcher: an address, padded on the left.
    pub batcher_hash: B256,
    /// L1 fee overhead in gas; Bedrock format only.
    pub l1_fee_overhead: U256,
    /// L1 fee scalar in millionths; Bedrock format only.
    pub l1_fee_scalar: U256,
    /// Blob base fee of L1 in wei; from Ecotone's format.
    pub blob_base_fee: U256,
    /// Base fee scalar in millionths; from Ecotone's format.
    pub base_fee_scalar: u32,
    /// Blob base fee scalar in millionths; from Ecotone's format.
    pub blob_base_fee_scalar: u32,
    /// Operator fee scalar; from Isthmus's format.
    pub operator_fee_scalar: u32,
    /// Operator fee constant in wei; from Isthmus's format.
    pub operator_fee_constant: u64,
    /// DA footprint gas per estimated DA byte, as stated (0 counts as 0 in execution; consensus
    /// clients write [`DEFAULT_DA_FOOTPRINT_GAS_SCALAR`] instead); Jovian format only.
    pub da_footprint_gas_scalar: u16,
}

/// Why calldata is not that of an L1 attributes deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum L1AttributesError {
    /// Less than a selector.
    #[error("L1 attributes calldata of {0} bytes has no selector")]
    NoSelector(usize),
    /// The selector is none of the four.
    #[error("L1 attributes calldata has unknown selector 0x{0:08x}")]
    Selector(u32),
    /// The length is not the format's.
    #[error("L1 attributes calldata of the {format:?} format must have {} bytes, got {got}", format.size_bytes())]
    Length {
        /// Format by the selector.
        format: L1AttributesFormat,
        /// Length found.
        got: usize,
    },
    /// An ABI word is too large for its argument.
    #[error("L1 attributes calldata: {0} exceeds 64 bits")]
    Range(&'static str),
}

impl L1Attributes {
    /// Reads calldata of any format, telling which by its selector.
    pub fn parse(calldata: &[u8]) -> Result<(L1AttributesFormat, Self), L1AttributesError> {
        let Some(selector) = calldata.first_chunk::<4>() else {
            return Err(L1AttributesError::NoSelector(calldata.len()));
        };
        let format = L1AttributesFormat::ALL
            .into_iter()
            .find(|format| format.selector() == *selector)
            .ok_or(L1AttributesError::Selector(u32::from_be_bytes(*selector)))?;
        if calldata.len() != format.size_bytes() {
            return Err(L1AttributesError::Length {
                format,
                got: calldata.len(),
            });
        }
        let mut reader = Reader(&calldata[4..]);
        let attributes = match format {
            L1AttributesFormat::Bedrock => Self::read_abi(&mut reader)?,
            packed => Self::read_packed(&mut reader, packed),
        };
        Ok((format, attributes))
    }

    fn read_abi(reader: &mut Reader<'_>) -> Result<Self, L1AttributesError> {
        let mut number =
            |name| u64::try_from(reader.word()).map_err(|_| L1AttributesError::Range(name));
        let (block, timestamp) = (number("number")?, number("timestamp")?);
        let (base_fee, hash) = (reader.word(), B256::from(reader.word()));
        let sequence_number =
            u64::try_from(reader.word()).map_err(|_| L1AttributesError::Range("sequenceNumber"))?;
        Ok(Self {
            number: block,
            timestamp,
            base_fee,
            hash,
            sequence_number,
            batcher_hash: B256::from(reader.word()),
            l1_fee_overhead: reader.word(),
            l1_fee_scalar: reader.word(),
            ..Self::default()
        })
    }

    fn read_packed(reader: &mut Reader<'_>, format: L1AttributesFormat) -> Self {
        let mut attributes = Self {
            base_fee_scalar: reader.u32(),
            blob_base_fee_scalar: reader.u32(),
            sequence_number: reader.u64(),
            timestamp: reader.u64(),
            number: reader.u64(),
            base_fee: reader.word(),
            blob_base_fee: reader.word(),
            hash: B256::from(reader.word()),
            batcher_hash: B256::from(reader.word()),
            ..Self::default()
        };
        if format >= L1AttributesFormat::Isthmus {
            attributes.operator_fee_scalar = reader.u32();
            attributes.operator_fee_constant = reader.u64();
        }
        if format >= L1AttributesFormat::Jovian {
            attributes.da_footprint_gas_scalar = reader.u16();
        }
        attributes
    }

    /// Writes the calldata of `format`; what the format lacks is left out.
    pub fn encode(&self, format: L1AttributesFormat) -> Bytes {
        let mut out = Vec::with_capacity(format.size_bytes());
        out.extend_from_slice(&format.selector());
        match format {
            L1AttributesFormat::Bedrock => self.write_abi(&mut out),
            packed => self.write_packed(&mut out, packed),
        }
        out.into()
    }

    fn write_abi(&self, out: &mut Vec<u8>) {
        for word in [
            U256::from(self.number),
            U256::from(self.timestamp),
            self.base_fee,
            self.hash.into(),
            U256::from(self.sequence_number),
            self.batcher_hash.into(),
            self.l1_fee_overhead,
            self.l1_fee_scalar,
        ] {
            out.extend_from_slice(&word.to_be_bytes::<32>());
        }
    }

    fn write_packed(&self, out: &mut Vec<u8>, format: L1AttributesFormat) {
        out.extend_from_slice(&self.base_fee_scalar.to_be_bytes());
        out.extend_from_slice(&self.blob_base_fee_scalar.to_be_bytes());
        out.extend_from_slice(&self.sequence_number.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.base_fee.to_be_bytes::<32>());
        out.extend_from_slice(&self.blob_base_fee.to_be_bytes::<32>());
        out.extend_from_slice(self.hash.as_slice());
        out.extend_from_slice(self.batcher_hash.as_slice());
        if format >= L1AttributesFormat::Isthmus {
            out.extend_from_slice(&self.operator_fee_scalar.to_be_bytes());
            out.extend_from_slice(&self.operator_fee_constant.to_be_bytes());
        }
        if format >= L1AttributesFormat::Jovian {
            out.extend_from_slice(&self.da_footprint_gas_scalar.to_be_bytes());
        }
    }
}

/// Takes big-endian numbers off calldata whose length was checked; reading past it gives zeros.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        if let Some((head, rest)) = self.0.split_first_chunk::<BYTES>() {
            bytes = *head;
            self.0 = rest;
        }
        bytes
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }

    fn word(&mut self) -> U256 {
        U256::from_be_bytes(self.take::<32>())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
