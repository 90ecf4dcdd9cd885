//! A small state and the transactions that act on it.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction as _, TxEip1559};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_eips::{eip2935, eip4788};
use alloy_primitives::{
    Address, B256, Bytes, Signature, TxKind, U256, address, bytes, hex, keccak256,
};

use blockwright_types::{
    AccountChange, AccountPost, BlockContext, Changes, L1_BLOCK, OpFork, RecoveredTx, Roots,
    SharedTx,
};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use revm::database::InMemoryDB;
use revm::state::{AccountInfo, Bytecode};

pub(crate) const CHAIN_ID: u64 = 901;
pub(crate) const BASE_FEE: u64 = 1_000;
pub(crate) const GAS_LIMIT: u64 = 60_000_000;
pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;

/// `SSTORE(calldata[0], calldata[32])`.
pub(crate) const STORE: Address = address!("00000000000000000000000000000000000c0001");
/// `BALANCE(calldata[0])` and `SLOAD(calldata[32])`: its gas shows what is warm.
pub(crate) const PROBE: Address = address!("00000000000000000000000000000000000c0002");
/// `LOG1` with the calldata as data.
pub(crate) const LOGGER: Address = address!("00000000000000000000000000000000000c0003");
/// Writes a slot, then reverts with the calldata.
pub(crate) const REVERTER: Address = address!("00000000000000000000000000000000000c0004");
/// `CREATE2(value, calldata[32..], salt = calldata[0])`.
pub(crate) const FACTORY: Address = address!("00000000000000000000000000000000000c0005");
/// Burns gas until there is none left.
pub(crate) const BURNER: Address = address!("00000000000000000000000000000000000c0006");
/// `SSTORE(calldata[32], BALANCE(calldata[0]))`.
pub(crate) const WITNESS: Address = address!("00000000000000000000000000000000000c0007");
/// `SSTORE(calldata[0], BALANCE(COINBASE))`.
pub(crate) const COINBASE_WITNESS: Address = address!("00000000000000000000000000000000000c0008");

pub(crate) const FEE_RECIPIENT: Address = address!("4200000000000000000000000000000000000011");
/// Holds nothing.
pub(crate) const PAUPER: Address = address!("0000000000000000000000000000000000000bad");
/// Holds ether and code: cannot send (EIP-3607).
pub(crate) const CODED: Address = address!("0000000000000000000000000000000000000c0d");

const STORE_CODE: Bytes = bytes!("60203560003555 00");
const PROBE_CODE: Bytes = bytes!("60003531506020355450 00");
const LOGGER_CODE: Bytes = bytes!("366000600037602a366000a100");
const REVERTER_CODE: Bytes = bytes!("60016001553660006000373660 00fd");
const FACTORY_CODE: Bytes = bytes!("6020360380602060003760003590600034f500");
const BURNER_CODE: Bytes = bytes!("5b600056");
const WITNESS_CODE: Bytes = bytes!("6000353160203555 00");
const COINBASE_WITNESS_CODE: Bytes = bytes!("4131600035 55 00");

/// With calldata it stores, without it destroys itself.
const CHILD_CODE: [u8; 15] = hex!("36600657 33ff 5b6020356000355500");

/// Init code of [`CHILD_CODE`], which also writes slot 1.
pub(crate) fn child_init_code() -> Vec<u8> {
    [
        &hex!("6007600155")[..],
        &hex!("6e"),
        &CHILD_CODE,
        &hex!("600052600f6011f3"),
    ]
    .concat()
}

/// Init code that writes a slot and destroys the account it is creating.
pub(crate) fn mayfly_init_code() -> Vec<u8> {
    hex!("600760015533ff").to_vec()
}

/// Init code that destroys the account it is creating in favour of `heir`.
pub(crate) fn sacrifice_init_code(heir: Address) -> Vec<u8> {
    [&hex!("73")[..], heir.as_slice(), &hex!("ff")].concat()
}

pub(crate) fn child(salt: u64) -> Address {
    FACTORY.create2(word(salt), keccak256(child_init_code()))
}

pub(crate) fn word(value: u64) -> B256 {
    B256::from(U256::from(value))
}

pub(crate) fn words(values: &[B256]) -> Bytes {
    values.concat().into()
}

pub(crate) fn user(index: u64) -> Address {
    Address::with_last_byte(0xa0 + index as u8)
}

pub(crate) fn context(fork: OpFork) -> BlockContext {
    BlockContext {
        chain_id: CHAIN_ID,
        fork,
        activates: None,
        parent_hash: B256::repeat_byte(0x11),
        number: 100,
        timestamp: 1_700_000_000,
        fee_recipient: FEE_RECIPIENT,
        prev_randao: B256::repeat_byte(0x22),
        gas_limit: GAS_LIMIT,
        base_fee: BASE_FEE,
        extra_data: Bytes::new(),
        parent_beacon_block_root: (fork >= OpFork::Ecotone).then_some(B256::repeat_byte(0x33)),
    }
}

/// L1 attributes as they lie in the L1Block contract: base fee 1 gwei, blob base fee 7 wei, scalars
/// 1,368 and 810,949, operator fee 5 (scalar) and 9 (constant), 400 gas per DA byte.
fn l1_block_slots() -> [(u64, U256); 6] {
    let scalars = (U256::from(1_368u64) << 96) | (U256::from(810_949u64) << 64);
    let operator = (U256::from(400u64) << 96) | (U256::from(5u64) << 64) | U256::from(9u64);
    [
        (1, U256::from(1_000_000_000u64)),
        (3, scalars),
        (5, U256::from(188u64)),
        (6, U256::from(684_000u64)),
        (7, U256::from(7u64)),
        (8, operator),
    ]
}

pub(crate) fn state() -> InMemoryDB {
    let mut db = InMemoryDB::default();
    let mut contract = |address: Address, code: &Bytes, balance: u128| {
        let code = Bytecode::new_raw(code.clone());
        let info = AccountInfo::new(U256::from(balance), 1, code.hash_slow(), code);
        db.insert_account_info(address, info);
    };
    contract(STORE, &STORE_CODE, 0);
    contract(PROBE, &PROBE_CODE, 0);
    contract(LOGGER, &LOGGER_CODE, 0);
    contract(REVERTER, &REVERTER_CODE, 0);
    contract(FACTORY, &FACTORY_CODE, 0);
    contract(BURNER, &BURNER_CODE, 0);
    contract(WITNESS, &WITNESS_CODE, 0);
    contract(COINBASE_WITNESS, &COINBASE_WITNESS_CODE, 0);
    contract(CODED, &STORE_CODE, ETHER);
    contract(L1_BLOCK, &STORE_CODE, 0);
    contract(
        eip2935::HISTORY_STORAGE_ADDRESS,
        &eip2935::HISTORY_STORAGE_CODE,
        0,
    );
    contract(
        eip4788::BEACON_ROOTS_ADDRESS,
        &eip4788::BEACON_ROOTS_CODE,
        0,
    );
    for index in 0..6 {
        let info = AccountInfo::from_balance(U256::from(ETHER));
        db.insert_account_info(user(index), info);
    }
    for (slot, value) in l1_block_slots() {
        db.insert_account_storage(L1_BLOCK, U256::from(slot), value)
            .unwrap();
    }
    for slot in 0..4u64 {
        let slot = U256::from(slot);
        db.insert_account_storage(STORE, slot, U256::from(77))
            .unwrap();
        db.insert_account_storage(PROBE, slot, U256::from(5))
            .unwrap();
    }
    db
}

/// The whole state as post-values.
pub(crate) fn all_of(db: &InMemoryDB) -> Changes {
    let mut all = Changes::default();
    for (address, account) in &db.cache.accounts {
        // revm's cache keeps touched empty accounts; EIP-161 does not.
        let Some(info) = account.info().filter(|info| !info.is_empty()) else {
            continue;
        };
        let change = AccountChange {
            post: Some(AccountPost {
                balance: info.balance,
                nonce: info.nonce,
                code_hash: info.code_hash,
            }),
            storage_wiped: false,
            storage: account
                .storage
                .iter()
                .filter(|(_, value)| !value.is_zero())
                .map(|(slot, value)| (*slot, *value))
                .collect(),
        };
        all.accounts.insert(*address, change);
    }
    all
}

/// A signed transaction. The signature is any: the sender counts as recovered.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) from: Address,
    pub(crate) nonce: u64,
    pub(crate) to: TxKind,
    pub(crate) value: u128,
    pub(crate) input: Bytes,
    pub(crate) gas: u64,
    pub(crate) max_fee: u128,
    pub(crate) tip: u128,
}

impl Call {
    pub(crate) fn new(from: Address, nonce: u64, to: Address, input: Bytes) -> Self {
        Self {
            from,
            nonce,
            to: TxKind::Call(to),
            value: 0,
            input,
            gas: 500_000,
            max_fee: 3_000,
            tip: 10,
        }
    }

    pub(crate) fn tx(self) -> SharedTx {
        let unsigned = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: self.gas,
            max_fee_per_gas: self.max_fee,
            max_priority_fee_per_gas: self.tip,
            to: self.to,
            value: U256::from(self.value),
            access_list: Default::default(),
            input: self.input,
        };
        let signed = unsigned.into_signed(Signature::test_signature());
        let envelope = OpTxEnvelope::Eip1559(signed);
        let encoded = envelope.encoded_2718().into();
        Arc::new(RecoveredTx::new(envelope, encoded, self.from))
    }
}

pub(crate) fn transfer(from: Address, nonce: u64, to: Address, value: u128) -> SharedTx {
    Call {
        value,
        ..Call::new(from, nonce, to, Bytes::new())
    }
    .tx()
}

pub(crate) fn deposit(deposit: TxDeposit) -> SharedTx {
    let sender = deposit.from;
    let envelope = OpTxEnvelope::from(deposit);
    let encoded = envelope.encoded_2718().into();
    Arc::new(RecoveredTx::new(envelope, encoded, sender))
}

/// A deposit of `mint` wei with a call.
pub(crate) fn deposit_call(from: Address, to: Address, mint: u128, input: Bytes) -> TxDeposit {
    TxDeposit {
        source_hash: keccak256(&input),
        from,
        to: TxKind::Call(to),
        mint,
        value: U256::ZERO,
        gas_limit: 1_000_000,
        is_system_transaction: false,
        input,
    }
}

/// Sets a slot of the L1Block contract, as its own deposit would.
pub(crate) fn l1_attributes(slot: u64, value: U256) -> SharedTx {
    let input = words(&[word(slot), value.into()]);
    deposit(deposit_call(
        address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001"),
        L1_BLOCK,
        0,
        input,
    ))
}

pub(crate) const NO_ROOTS: Roots = Roots {
    state: B256::ZERO,
    message_passer: B256::ZERO,
};

pub(crate) type Block = blockwright_exec::ExecBlock<Arc<InMemoryDB>>;

/// Opens a block on `db` with nothing from the sequencer.
pub(crate) fn open(context: BlockContext, db: &Arc<InMemoryDB>, sequencer: &[SharedTx]) -> Block {
    Block::open(context, Arc::clone(db), sequencer, Default::default()).unwrap()
}

/// Simulates and commits; panics where the transaction is rejected. Returns the gas it used.
pub(crate) fn include(block: &mut Block, tx: &SharedTx) -> u64 {
    include_in(block, tx)
}

/// [`include`] for any block.
pub(crate) fn include_in<B: blockwright_seams::OpenBlock>(block: &mut B, tx: &SharedTx) -> u64 {
    use blockwright_seams::Simulated as _;
    let sim = block.simulate(tx).unwrap();
    let gas = sim.gas_used().0;
    block.commit(sim).unwrap();
    gas
}
