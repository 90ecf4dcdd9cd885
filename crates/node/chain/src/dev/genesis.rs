//! Genesis of a development chain.

use std::collections::BTreeMap;

use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_eips::eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE};
use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, Bytes, U256, address};
use blockwright_types::{L1_BLOCK, OpFork};
use serde_json::{Value, json};

use super::{DEV_BALANCE, default_l1_attributes, dev_accounts};
use crate::data::{DataFile, predeploys};
use crate::{DataError, FeeParams, L1Attributes, encode_extra_data};

/// Chain id of a development chain unless told otherwise.
pub const DEFAULT_CHAIN_ID: u64 = 901;

/// Block gas limit of a development chain unless told otherwise.
pub const DEFAULT_GAS_LIMIT: u64 = 60_000_000;

/// The sequencer fee vault, which receives priority fees on OP chains.
const FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");

/// EIP-1559 constants of OP chains.
const ELASTICITY: u32 = 6;
const DENOMINATOR: u32 = 50;
const DENOMINATOR_CANYON: u32 = 250;

/// Ethereum forks that are active from block 0.
const BLOCK_FORKS: [&str; 15] = [
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "muirGlacierBlock",
    "berlinBlock",
    "londonBlock",
    "arrowGlacierBlock",
    "grayGlacierBlock",
    "mergeNetsplitBlock",
    "bedrockBlock",
];

/// The times that schedule each fork.
const fn time_fields(fork: OpFork) -> &'static [&'static str] {
    match fork {
        OpFork::Bedrock => &[],
        OpFork::Regolith => &["regolithTime"],
        OpFork::Canyon => &["canyonTime", "shanghaiTime"],
        OpFork::Ecotone => &["ecotoneTime", "cancunTime"],
        OpFork::Fjord => &["fjordTime"],
        OpFork::Granite => &["graniteTime"],
        OpFork::Holocene => &["holoceneTime"],
        OpFork::Isthmus => &["isthmusTime", "pragueTime"],
        OpFork::Jovian => &["jovianTime"],
        OpFork::Karst => &["karstTime", "osakaTime"],
    }
}

/// A development chain: predeploys of the OP Stack, funded accounts, one fork from the start.
///
/// Chains before Karst get Jovian's predeploys: older ones are not published as data. Their L1Block
/// takes every earlier fork's calldata; their GasPriceOracle answers by Fjord's formula throughout.
#[derive(Clone, Debug)]
pub struct DevGenesis {
    /// EIP-155 chain id, not 0.
    pub chain_id: u64,
    /// The newest fork in force, from block 0 on.
    pub fork: OpFork,
    /// Timestamp of block 0 in seconds.
    pub timestamp: u64,
    /// Gas limit of block 0.
    pub gas_limit: u64,
    /// Accounts with [`DEV_BALANCE`].
    pub accounts: Vec<Address>,
    /// More accounts; they replace predeploys and funded accounts of the same address.
    pub alloc: BTreeMap<Address, GenesisAccount>,
    /// What L1Block holds before the first block.
    pub l1_attributes: L1Attributes,
}

impl Default for DevGenesis {
    fn default() -> Self {
        Self {
            chain_id: DEFAULT_CHAIN_ID,
            fork: OpFork::Karst,
            timestamp: 0,
            gas_limit: DEFAULT_GAS_LIMIT,
            accounts: dev_accounts().to_vec(),
            alloc: BTreeMap::new(),
            l1_attributes: default_l1_attributes(),
        }
    }
}

impl DevGenesis {
    /// The genesis document, readable by op-geth, op-reth and
    /// [`ChainSpec::from_genesis_json`](crate::ChainSpec::from_genesis_json).
    pub fn build(&self) -> Result<Value, DataError> {
        let params = FeeParams {
            denominator: DENOMINATOR_CANYON,
            elasticity: ELASTICITY,
            min_base_fee: 0,
        };
        Ok(json!({
            "config": self.config(),
            "nonce": "0x0",
            "timestamp": format!("{:#x}", self.timestamp),
            "extraData": encode_extra_data(self.fork, &params),
            "gasLimit": format!("{:#x}", self.gas_limit),
            "difficulty": "0x0",
            "coinbase": FEE_VAULT,
            "baseFeePerGas": "0x3b9aca00",
            "alloc": self.alloc()?,
        }))
    }

    fn config(&self) -> Value {
        let mut config = json!({
            "chainId": self.chain_id,
            "terminalTotalDifficulty": 0,
            "optimism": {
                "eip1559Elasticity": ELASTICITY,
                "eip1559Denominator": DENOMINATOR,
                "eip1559DenominatorCanyon": DENOMINATOR_CANYON,
            },
        });
        let blocks = BLOCK_FORKS.iter();
        let times = OpFork::ALL
            .into_iter()
            .filter(|fork| *fork <= self.fork)
            .flat_map(time_fields);
        for field in blocks.chain(times) {
            config[*field] = json!(0);
        }
        config
    }

    fn alloc(&self) -> Result<BTreeMap<Address, GenesisAccount>, DataError> {
        let mut alloc = read_predeploys(predeploys(self.fork))?;
        for account in &self.accounts {
            alloc.entry(*account).or_default().balance = DEV_BALANCE;
        }
        if self.fork >= OpFork::Ecotone {
            alloc.insert(BEACON_ROOTS_ADDRESS, system_contract(&BEACON_ROOTS_CODE));
        }
        if self.fork >= OpFork::Isthmus {
            alloc.insert(
                HISTORY_STORAGE_ADDRESS,
                system_contract(&HISTORY_STORAGE_CODE),
            );
        }
        let l1_block = alloc.entry(L1_BLOCK).or_default();
        let slots = l1_block.storage.get_or_insert_default();
        for (slot, value) in l1_block_slots(&self.l1_attributes) {
            slots.insert(U256::from(slot).into(), value.into());
        }
        alloc.extend(
            self.alloc
                .iter()
                .map(|(at, account)| (*at, account.clone())),
        );
        Ok(alloc)
    }
}

fn read_predeploys(file: DataFile) -> Result<BTreeMap<Address, GenesisAccount>, DataError> {
    file.json()
}

fn system_contract(code: &Bytes) -> GenesisAccount {
    GenesisAccount::default()
        .with_nonce(Some(1))
        .with_code(Some(code.clone()))
}

/// Storage of L1Block: the layout that its setters write and execution reads fees from.
fn l1_block_slots(l1: &L1Attributes) -> [(u64, U256); 9] {
    let number_and_time = U256::from(l1.number) | U256::from(l1.timestamp) << 64;
    let scalars = U256::from(l1.sequence_number)
        | U256::from(l1.blob_base_fee_scalar) << 64
        | U256::from(l1.base_fee_scalar) << 96;
    let operator = U256::from(l1.operator_fee_constant)
        | U256::from(l1.operator_fee_scalar) << 64
        | U256::from(l1.da_footprint_gas_scalar) << 96;
    [
        (0, number_and_time),
        (1, l1.base_fee),
        (2, l1.hash.into()),
        (3, scalars),
        (4, l1.batcher_hash.into()),
        (5, l1.l1_fee_overhead),
        (6, l1.l1_fee_scalar),
        (7, l1.blob_base_fee),
        (8, operator),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
