//! The chain's genesis document.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use alloy_primitives::{Address, B256, U256, hex};
use blockwright_chain::dev::DevGenesis;
use blockwright_chain::{FeeParams, encode_extra_data};
use serde_json::{Value, json};

use crate::contracts::{TOKEN, balance_slot, contracts};
use crate::workload::draw::account;
use crate::{BenchError, ChainPlan};

/// With an elasticity of 1 the gas target is the limit: full blocks leave the base fee as it is.
pub(crate) const FEE_PARAMS: FeeParams = FeeParams {
    denominator: 250,
    elasticity: 1,
    min_base_fee: 0,
};

/// Timestamp of block 0 in seconds: long ago, so that a run can begin at any time.
const TIMESTAMP: u64 = 1_700_000_000;

/// What every sender and every extra account has, in wei: 2^96, more than any load can spend.
const BALANCE: U256 = U256::from_limbs([0, 1 << 32, 0, 0]);

/// Tokens of every sender and every extra account.
const TOKENS: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// Writes the document. The accounts are derived as they are written: a million of them, which are
/// 250 MB of text, take no memory.
pub(crate) fn write(
    chain: &ChainPlan,
    senders: &[Address],
    to: &mut dyn Write,
) -> Result<(), BenchError> {
    let mut document = base(chain)?;
    let alloc = document
        .as_object_mut()
        .and_then(|fields| fields.remove("alloc"))
        .ok_or_else(|| BenchError::GenesisForm("the base has no alloc".to_owned()))?;
    let text = Document {
        head: document.to_string(),
        predeploys: alloc.to_string(),
    };
    let unwritable = |cause: io::Error| BenchError::GenesisForm(cause.to_string());
    text.write(chain, senders, to).map_err(unwritable)
}

/// Writes the document to a file.
pub(crate) fn write_file(
    chain: &ChainPlan,
    senders: &[Address],
    path: &Path,
) -> Result<(), BenchError> {
    let unwritable = |cause| BenchError::GenesisWrite {
        path: path.to_owned(),
        cause,
    };
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).map_err(unwritable)?);
    write(chain, senders, &mut file)?;
    file.flush().map_err(unwritable)
}

/// The document without the load's accounts.
fn base(chain: &ChainPlan) -> Result<Value, BenchError> {
    let mut document = DevGenesis {
        chain_id: chain.chain_id,
        fork: chain.fork,
        timestamp: TIMESTAMP,
        gas_limit: chain.gas_limit,
        accounts: Vec::new(),
        ..DevGenesis::default()
    }
    .build()?;
    // Both the constants, which hold before Holocene and where attributes have zeros, and the
    // header's parameters, which hold from Holocene.
    document["config"]["optimism"]["eip1559Elasticity"] = json!(FEE_PARAMS.elasticity);
    document["extraData"] = json!(encode_extra_data(chain.fork, &FEE_PARAMS));
    Ok(document)
}

/// The parts of the document that are there before the accounts are written, both JSON objects with
/// at least one field.
struct Document {
    head: String,
    predeploys: String,
}

impl Document {
    fn write(&self, chain: &ChainPlan, senders: &[Address], to: &mut dyn Write) -> io::Result<()> {
        let holders = || {
            let accounts = u64::from(chain.accounts);
            let accounts = (0..accounts).map(|index| account(chain.seed, index));
            senders.iter().copied().chain(accounts)
        };
        write!(
            to,
            "{},\"alloc\":{}",
            opened(&self.head),
            opened(&self.predeploys)
        )?;
        for (address, code) in contracts() {
            let code = hex::encode(code);
            write!(
                to,
                r#","{address:#x}":{{"nonce":"0x1","balance":"0x0","code":"0x{code}""#
            )?;
            if address == TOKEN {
                write_balances(holders(), to)?;
            }
            write!(to, "}}")?;
        }
        for holder in holders() {
            write!(to, r#","{holder:#x}":{{"balance":"{BALANCE:#x}"}}"#)?;
        }
        write!(to, "}}}}")
    }
}

/// An object without its closing brace, so that fields can follow.
fn opened(object: &str) -> &str {
    object.strip_suffix('}').unwrap_or(object)
}

fn write_balances(holders: impl Iterator<Item = Address>, to: &mut dyn Write) -> io::Result<()> {
    let tokens = B256::from(TOKENS);
    write!(to, r#","storage":{{"#)?;
    for (index, holder) in holders.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let slot = balance_slot(holder);
        write!(to, r#"{comma}"{slot:#x}":"{tokens:#x}""#)?;
    }
    write!(to, "}}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
