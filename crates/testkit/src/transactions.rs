//! Scripted transactions.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use blockwright_types::{RecoveredTx, SharedTx};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};

/// The test account number `n`.
pub const fn address(n: u64) -> Address {
    let mut bytes = [0x10; 20];
    let tail = n.to_be_bytes();
    let mut i = 0;
    while i < 8 {
        bytes[12 + i] = tail[i];
        i += 1;
    }
    Address::new(bytes)
}

/// What a transaction does on the fakes. On a real EVM it is call data to an account without code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Transfers its value.
    Transfer,
    /// Fails and pays for it.
    Revert,
    /// Uses this much gas on top of the intrinsic gas.
    Burn(u64),
    /// Uses `gas` on top of the intrinsic gas, and takes `us` microseconds longer than that much
    /// gas should.
    Slow {
        /// Gas.
        gas: u64,
        /// Microseconds.
        us: u64,
    },
    /// Makes the EVM itself fail.
    Fault,
    /// Panics.
    Panic,
}

impl Program {
    fn input(self) -> Vec<u8> {
        match self {
            Self::Transfer => Vec::new(),
            Self::Revert => vec![1],
            Self::Burn(gas) => [vec![2], gas.to_be_bytes().to_vec()].concat(),
            Self::Fault => vec![3],
            Self::Panic => vec![4],
            Self::Slow { gas, us } => [
                vec![5],
                gas.to_be_bytes().to_vec(),
                us.to_be_bytes().to_vec(),
            ]
            .concat(),
        }
    }

    /// Reads a program back from call data.
    pub fn of(input: &[u8]) -> Self {
        match input.split_first() {
            Some((1, _)) => Self::Revert,
            Some((2, rest)) => Self::Burn(number(rest)),
            Some((3, _)) => Self::Fault,
            Some((4, _)) => Self::Panic,
            Some((5, rest)) => Self::Slow {
                gas: number(rest),
                us: number(rest.get(8..).unwrap_or_default()),
            },
            _ => Self::Transfer,
        }
    }
}

/// The number in the first eight bytes; missing ones are zero.
fn number(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    let known = bytes.len().min(8);
    number[..known].copy_from_slice(&bytes[..known]);
    u64::from_be_bytes(number)
}

/// A pool transaction.
#[derive(Clone, Copy, Debug)]
pub struct TxSpec {
    /// Number of the sending account, see [`address`].
    pub sender: u64,
    /// Nonce.
    pub nonce: u64,
    /// Priority fee in wei per gas.
    pub tip: u128,
    /// Gas limit.
    pub gas_limit: u64,
    /// What it does.
    pub program: Program,
    /// Incompressible bytes of call data on top, to cost DA and size.
    pub padding_bytes: usize,
}

impl TxSpec {
    /// A transfer that pays `tip`.
    pub const fn transfer(sender: u64, nonce: u64, tip: u128) -> Self {
        Self {
            sender,
            nonce,
            tip,
            gas_limit: 60_000,
            program: Program::Transfer,
            padding_bytes: 0,
        }
    }

    /// The transaction. Its signature is a placeholder: the sender is given, not recovered.
    pub fn build(self) -> SharedTx {
        let mut input = self.program.input();
        let mut noise = crate::Rng::new(self.sender ^ (self.nonce << 32));
        if input.is_empty() && self.padding_bytes > 0 {
            input.push(0);
        }
        input.extend((0..self.padding_bytes).map(|_| noise.next_u64() as u8));
        let tx = TxEip1559 {
            chain_id: 901,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: 1_000_000_000_000,
            max_priority_fee_per_gas: self.tip,
            to: TxKind::Call(address(self.sender + 1_000_000)),
            value: U256::from(1),
            access_list: Default::default(),
            input: input.into(),
        };
        let envelope = OpTxEnvelope::from(tx.into_signed(Signature::test_signature()));
        let encoded = Bytes::from(envelope.encoded_2718());
        Arc::new(RecoveredTx::new(envelope, encoded, address(self.sender)))
    }
}

/// A deposit that mints one wei to account `n`.
pub fn deposit(n: u64) -> SharedTx {
    let tx = TxDeposit {
        source_hash: B256::with_last_byte(n as u8),
        from: address(n),
        to: TxKind::Call(address(n)),
        mint: 1,
        value: U256::ZERO,
        gas_limit: 100_000,
        is_system_transaction: false,
        input: Bytes::new(),
    };
    let envelope = OpTxEnvelope::from(tx);
    let encoded = Bytes::from(envelope.encoded_2718());
    Arc::new(RecoveredTx::new(envelope, encoded, address(n)))
}
