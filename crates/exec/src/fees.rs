//! What a rollup charges besides execution gas.

use alloy_primitives::U256;
use blockwright_types::{OpFork, RecoveredTx};
use op_revm::L1BlockInfo;
use revm::database_interface::{DatabaseRef, WrapDatabaseRef};

use crate::env::spec_id;

/// The parameters of the L1 data fee and the operator fee, as the L1-attributes deposit of a block
/// sets them. Parameters that the block's fork does not know are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollupParameters {
    /// L1 base fee in wei.
    pub l1_base_fee: U256,
    /// Fixed overhead in gas; before Ecotone.
    pub l1_fee_overhead: U256,
    /// Scalar in millionths; before Ecotone.
    pub l1_fee_scalar: U256,
    /// L1 blob base fee in wei; from Ecotone, `None` in its activation block, which still charges by
    /// the old formula.
    pub l1_blob_base_fee: Option<U256>,
    /// Base fee scalar in millionths; from Ecotone.
    pub l1_base_fee_scalar: u32,
    /// Blob base fee scalar in millionths; from Ecotone.
    pub l1_blob_base_fee_scalar: u32,
    /// Operator fee scalar: in millionths of a wei per gas (Isthmus), times 100 wei (Jovian).
    pub operator_fee_scalar: u32,
    /// Operator fee constant in wei; from Isthmus.
    pub operator_fee_constant: u64,
    /// Gas per estimated DA byte; from Jovian.
    pub da_footprint_gas_scalar: u16,
}

/// The rollup fees of the transactions of one block.
#[derive(Clone, Debug)]
pub struct RollupFees {
    fork: OpFork,
    info: L1BlockInfo,
}

/// The fields an RPC receipt of a signed transaction has beyond Ethereum's. A field is `None` where
/// the fork (or the operator's configuration) has no such fee.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollupReceiptFields {
    /// `l1GasPrice`: L1 base fee in wei.
    pub l1_gas_price: U256,
    /// `l1GasUsed`: gas the transaction's data counts for on L1.
    pub l1_gas_used: U256,
    /// `l1Fee` in wei.
    pub l1_fee: U256,
    /// `l1FeeScalar` in millionths (RPC shows it as a decimal fraction); before Ecotone.
    pub l1_fee_scalar: Option<U256>,
    /// `l1BaseFeeScalar`; from Ecotone.
    pub l1_base_fee_scalar: Option<u64>,
    /// `l1BlobBaseFee` in wei; from Ecotone.
    pub l1_blob_base_fee: Option<U256>,
    /// `l1BlobBaseFeeScalar`; from Ecotone.
    pub l1_blob_base_fee_scalar: Option<u64>,
    /// `operatorFeeScalar`; from Isthmus where an operator fee is set.
    pub operator_fee_scalar: Option<u64>,
    /// `operatorFeeConstant`; from Isthmus where an operator fee is set.
    pub operator_fee_constant: Option<u64>,
    /// `daFootprintGasScalar`; from Jovian.
    pub da_footprint_gas_scalar: Option<u64>,
    /// `blobGasUsed`: the transaction's own DA footprint; from Jovian.
    pub da_footprint: Option<u64>,
}

/// The L1 data fee from Fjord on, in wei, of a transaction whose compressed size is estimated at
/// `da_millionths` of a byte. op-revm has this formula only together with the compression.
pub(crate) fn fjord_l1_fee(info: &L1BlockInfo, da_millionths: u64) -> U256 {
    // 16 gas a byte of calldata; blob space has a price of its own.
    let calldata = info
        .l1_base_fee
        .saturating_mul(U256::from(16))
        .saturating_mul(info.l1_base_fee_scalar);
    let blobs = info
        .l1_blob_base_fee
        .unwrap_or_default()
        .saturating_mul(info.l1_blob_base_fee_scalar.unwrap_or_default());
    // The estimate and both scalars are in millionths.
    U256::from(da_millionths)
        .saturating_mul(calldata.saturating_add(blobs))
        .wrapping_div(U256::from(1_000_000_000_000_u64))
}

impl RollupFees {
    /// Reads the parameters from the L1Block contract in the state after a block. They hold for the
    /// transactions of that block, and for the next one until its own attributes arrive.
    ///
    /// # Errors
    /// The reader's own.
    pub fn read<R: DatabaseRef>(reader: &R, fork: OpFork) -> Result<Self, R::Error> {
        let mut database = WrapDatabaseRef(reader);
        let info = L1BlockInfo::try_fetch(&mut database, U256::ZERO, spec_id(fork))?;
        Ok(Self { fork, info })
    }

    /// The fees under parameters known otherwise, for example from the block's first deposit.
    pub fn new(fork: OpFork, parameters: &RollupParameters) -> Self {
        let ecotone = fork >= OpFork::Ecotone && parameters.l1_blob_base_fee.is_some();
        let info = L1BlockInfo {
            l2_block: None,
            l1_base_fee: parameters.l1_base_fee,
            l1_fee_overhead: (!ecotone).then_some(parameters.l1_fee_overhead),
            l1_base_fee_scalar: if ecotone {
                U256::from(parameters.l1_base_fee_scalar)
            } else {
                parameters.l1_fee_scalar
            },
            l1_blob_base_fee: parameters.l1_blob_base_fee,
            l1_blob_base_fee_scalar: ecotone
                .then(|| U256::from(parameters.l1_blob_base_fee_scalar)),
            operator_fee_scalar: (fork >= OpFork::Isthmus)
                .then(|| U256::from(parameters.operator_fee_scalar)),
            operator_fee_constant: (fork >= OpFork::Isthmus)
                .then(|| U256::from(parameters.operator_fee_constant)),
            da_footprint_gas_scalar: (fork >= OpFork::Jovian)
                .then_some(parameters.da_footprint_gas_scalar),
            empty_ecotone_scalars: fork >= OpFork::Ecotone && !ecotone,
            tx_l1_cost: None,
        };
        Self { fork, info }
    }

    /// The L1 data fee of `tx` in wei; zero for deposits.
    pub fn l1_fee(&self, tx: &RecoveredTx) -> U256 {
        if tx.is_deposit() {
            return U256::ZERO;
        }
        if self.fork >= OpFork::Fjord {
            return fjord_l1_fee(&self.info, tx.da_millionths);
        }
        // The calculation caches its result in the parameters.
        let mut info = self.info.clone();
        info.calculate_tx_l1_cost(&tx.encoded, spec_id(self.fork))
    }

    /// The operator fee in wei of a signed transaction that uses `gas`; zero before Isthmus.
    pub fn operator_fee(&self, gas: u64) -> U256 {
        if self.fork < OpFork::Isthmus {
            return U256::ZERO;
        }
        // Any first byte but a deposit's: the fee depends on the gas alone.
        self.info
            .operator_fee_charge(&[0], U256::from(gas), spec_id(self.fork))
    }

    /// What the sender must hold for `tx` besides gas and value: the L1 data fee and the operator
    /// fee at the full gas limit, in wei. Zero for deposits.
    pub fn cost(&self, tx: &RecoveredTx) -> U256 {
        if tx.is_deposit() {
            return U256::ZERO;
        }
        self.l1_fee(tx)
            .saturating_add(self.operator_fee(tx.gas_limit().0))
    }

    /// The rollup fields of `tx`'s receipt; `None` for deposits, which pay no such fee.
    pub fn receipt_fields(&self, tx: &RecoveredTx) -> Option<RollupReceiptFields> {
        if tx.is_deposit() {
            return None;
        }
        let info = &self.info;
        let by_ecotone = self.fork >= OpFork::Ecotone && !info.empty_ecotone_scalars;
        let mut fields = RollupReceiptFields {
            l1_gas_price: info.l1_base_fee,
            l1_gas_used: self.l1_gas_used(tx, by_ecotone),
            l1_fee: self.l1_fee(tx),
            ..RollupReceiptFields::default()
        };
        if by_ecotone {
            fields.l1_base_fee_scalar = info.l1_base_fee_scalar.try_into().ok();
            fields.l1_blob_base_fee = info.l1_blob_base_fee;
            fields.l1_blob_base_fee_scalar =
                info.l1_blob_base_fee_scalar.and_then(|v| v.try_into().ok());
        } else {
            fields.l1_fee_scalar = Some(self.bedrock_scalar());
        }
        if let (Some(scalar), Some(constant)) =
            (info.operator_fee_scalar, info.operator_fee_constant)
            && !(scalar.is_zero() && constant.is_zero())
        {
            fields.operator_fee_scalar = scalar.try_into().ok();
            fields.operator_fee_constant = constant.try_into().ok();
        }
        if let Some(scalar) = info.da_footprint_gas_scalar {
            fields.da_footprint_gas_scalar = Some(u64::from(scalar));
            fields.da_footprint = Some(tx.da.0.saturating_mul(u64::from(scalar)));
        }
        Some(fields)
    }

    fn bedrock_scalar(&self) -> U256 {
        self.info.l1_base_fee_scalar
    }

    fn l1_gas_used(&self, tx: &RecoveredTx, by_ecotone: bool) -> U256 {
        if by_ecotone && self.fork >= OpFork::Fjord {
            // 16 gas for each byte of the estimate, which is kept in millionths.
            return U256::from(tx.da_millionths) * U256::from(16) / U256::from(1_000_000);
        }
        let data_gas = self.info.data_gas(&tx.encoded, spec_id(self.fork));
        if by_ecotone {
            data_gas
        } else {
            data_gas.saturating_add(self.info.l1_fee_overhead.unwrap_or_default())
        }
    }
}
