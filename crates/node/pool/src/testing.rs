//! A chain of accounts in memory, and transactions for the tests of this crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_consensus::{Header, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Signature, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use blockwright_seams::Wake;
use blockwright_types::{
    AccountChange, AccountPost, BlockContext, BlockPart, BuildRequest, Changes, OpFork, PayloadId,
    RecoveredTx, SealedBlock, SharedTx, UnixUs,
};
use op_alloy_consensus::{OpTxEnvelope, OpTypedTransaction, TxDeposit};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};

use crate::{
    AccountCode, AccountFacts, AccountView, HeadView, Pool, PoolConfig, RollupFeeView, ViewError,
};

pub(crate) const CHAIN_ID: u64 = 901;
pub(crate) const ROLLUP_FEE: u64 = 1_000;
pub(crate) const BASE_FEE: u64 = 100;
pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;

/// Accounts after a block; those not named do not exist.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) known: AddressMap<AccountFacts>,
    pub(crate) broken: bool,
}

impl AccountView for Accounts {
    fn account(&self, address: Address) -> Result<AccountFacts, ViewError> {
        if self.broken {
            return Err(ViewError("disk on fire".into()));
        }
        Ok(self.known.get(&address).copied().unwrap_or_default())
    }
}

struct FlatFee;

impl RollupFeeView for FlatFee {
    fn cost(&self, _: &RecoveredTx) -> U256 {
        U256::from(ROLLUP_FEE)
    }
}

/// A pool on a chain that a test writes.
pub(crate) struct Chain {
    pub(crate) pool: Pool,
    pub(crate) accounts: Accounts,
    pub(crate) head: HeadView,
}

impl Chain {
    pub(crate) fn new(configure: impl FnOnce(&mut PoolConfig)) -> Self {
        let mut config = PoolConfig::new(CHAIN_ID);
        config.intake_threads = 2;
        configure(&mut config);
        let chain = Self {
            pool: Pool::new(config),
            accounts: Accounts::default(),
            head: HeadView {
                hash: B256::ZERO,
                number: 0,
                fork: OpFork::Karst,
                base_fee: BASE_FEE,
                gas_limit: 30_000_000,
                accounts: Arc::new(Accounts::default()),
                fees: Arc::new(FlatFee),
            },
        };
        chain.jump();
        chain
    }

    /// Sets an account and lets the pool read all accounts anew.
    pub(crate) fn fund(&mut self, address: Address, nonce: u64, balance: u128) {
        let facts = AccountFacts {
            nonce,
            balance: U256::from(balance),
            code: AccountCode::None,
        };
        self.accounts.known.insert(address, facts);
        self.jump();
    }

    pub(crate) fn view(&self) -> HeadView {
        HeadView {
            accounts: Arc::new(self.accounts.clone()),
            ..self.head.clone()
        }
    }

    pub(crate) fn jump(&self) {
        self.pool.on_head_jump(self.view());
    }

    /// A block of `txs` on the head: nonces move, balances stay.
    pub(crate) fn block(&mut self, txs: &[SharedTx]) -> Arc<SealedBlock> {
        let number = self.head.number + 1;
        for tx in txs {
            let account = self.accounts.known.entry(tx.sender).or_default();
            account.nonce = tx.nonce() + 1;
        }
        let block = sealed(number, txs, &self.accounts);
        self.head.number = number;
        self.head.hash = block.hash;
        block
    }

    /// Builds a block of `txs` and follows it.
    pub(crate) fn include(&mut self, txs: &[SharedTx]) -> Arc<SealedBlock> {
        let block = self.block(txs);
        self.pool
            .on_new_head(self.view(), &[], std::slice::from_ref(&block));
        block
    }

    pub(crate) fn add(&self, tx: &SharedTx) -> Result<B256, crate::PoolError> {
        self.pool.add_recovered(tx.clone())
    }
}

/// A block whose changes are the accounts of its senders.
pub(crate) fn sealed(number: u64, txs: &[SharedTx], accounts: &Accounts) -> Arc<SealedBlock> {
    let mut changes = Changes::default();
    for tx in txs {
        let facts = accounts.known.get(&tx.sender).copied().unwrap_or_default();
        let post = AccountPost {
            balance: facts.balance,
            nonce: facts.nonce,
            code_hash: KECCAK256_EMPTY,
        };
        let change = AccountChange {
            post: Some(post),
            storage_wiped: false,
            storage: Default::default(),
        };
        changes.accounts.insert(tx.sender, change);
    }
    let header = Header {
        number,
        ..Header::default()
    };
    Arc::new(SealedBlock {
        hash: header.hash_slow(),
        header,
        parts: vec![Arc::new(BlockPart::new(
            txs.to_vec(),
            Vec::new(),
            vec![Arc::new(changes)],
        ))],
        value: U256::ZERO,
    })
}

/// A plain transfer to be changed by tests.
pub(crate) fn transfer(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000,
        max_priority_fee_per_gas: 10,
        to: TxKind::Call(Address::repeat_byte(0x77)),
        ..TxEip1559::default()
    }
}

/// `tx` with a signature that was never checked, from `sender`.
pub(crate) fn recovered(sender: Address, tx: impl Into<OpTypedTransaction>) -> SharedTx {
    let signature = Signature::new(U256::from(1), U256::from(1), false);
    let envelope = OpTxEnvelope::new_unhashed(tx.into(), signature);
    wrap(envelope, sender)
}

/// A transfer at a price: fee cap and tip cap in wei.
pub(crate) fn priced(sender: Address, nonce: u64, fee_cap: u128, tip: u128) -> SharedTx {
    let tx = TxEip1559 {
        max_fee_per_gas: fee_cap,
        max_priority_fee_per_gas: tip,
        // Senders would else share hashes, the signature being the same.
        value: U256::from(sender[0]),
        ..transfer(nonce)
    };
    recovered(sender, tx)
}

pub(crate) fn deposit(sender: Address) -> SharedTx {
    let tx = TxDeposit {
        from: sender,
        ..TxDeposit::default()
    };
    wrap(OpTxEnvelope::from(tx), sender)
}

fn wrap(envelope: OpTxEnvelope, sender: Address) -> SharedTx {
    let encoded = envelope.encoded_2718().into();
    Arc::new(RecoveredTx::new(envelope, encoded, sender))
}

/// Signed EIP-2718 bytes.
pub(crate) fn signed(key: &PrivateKeySigner, tx: impl Into<OpTypedTransaction>) -> Bytes {
    let tx: OpTypedTransaction = tx.into();
    let signature = key.sign_hash_sync(&tx.signature_hash()).unwrap();
    OpTxEnvelope::new_unhashed(tx, signature)
        .encoded_2718()
        .into()
}

pub(crate) fn key(index: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(index + 1)).unwrap()
}

pub(crate) fn sender(index: u8) -> Address {
    Address::repeat_byte(index + 1)
}

/// A request to build on `parent` with `sequencer` transactions.
pub(crate) fn request(parent: B256, sequencer: Vec<SharedTx>) -> BuildRequest {
    BuildRequest {
        id: PayloadId::default(),
        context: BlockContext {
            chain_id: CHAIN_ID,
            fork: OpFork::Karst,
            activates: None,
            parent_hash: parent,
            number: 1,
            timestamp: 2,
            fee_recipient: Address::ZERO,
            prev_randao: B256::ZERO,
            gas_limit: 30_000_000,
            base_fee: BASE_FEE,
            extra_data: Bytes::new(),
            parent_beacon_block_root: Some(B256::ZERO),
        },
        sequencer_transactions: sequencer,
        no_tx_pool: false,
        received_at: UnixUs(0),
        parent_timestamp: 0,
    }
}

/// A wake that counts its calls.
pub(crate) fn counting_wake() -> (Wake, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let wake: Wake = Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    (wake, count)
}

/// `cases` scripts, the same ones each time unless `PROPTEST_RNG_SEED` or `PROPTEST_CASES` ask for
/// others.
pub(crate) fn property(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(0xb10c);
    }
    config
}
