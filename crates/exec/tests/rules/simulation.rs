//! `eth_simulateV1`: chains of blocks that nobody made.

use alloy_consensus::Header;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, bytes, hex};
use blockwright_exec::{
    AccountOverride, BlockCalls, BlockOverrides, CallRequest, CallStatus, InvalidMessage,
    OverrideError, SIMULATED_BLOCKS_MAX, SimulatedBlock, SimulationBase, SimulationError,
    SimulationHost, SimulationRequest, simulate,
};
use blockwright_state::StateTrie;
use blockwright_types::{Changes, OpFork, Roots};

use crate::world::{
    BURNER, CHAIN_ID, ETHER, GAS_LIMIT, LOGGER, PAUPER, REVERTER, STORE, all_of, child_init_code,
    state, user, word, words,
};

const BASE: u64 = 100;
const BASE_TIME: u64 = 1_700_000_000;
const BASE_HASH: B256 = B256::repeat_byte(0x77);
const CAP: u64 = 50_000_000;
const ETHER_LOG: Address = address!("EeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE");
const SHA256: Address = address!("0000000000000000000000000000000000000002");
const IDENTITY: Address = address!("0000000000000000000000000000000000000004");
const EMPTY_PLACE: Address = Address::repeat_byte(0x5e);
const BASE_FEE_VAULT: Address = address!("4200000000000000000000000000000000000019");

/// `BLOCKHASH(calldata[0])`, returned.
const BLOCKHASH: Bytes = bytes!("6000354060005260206000f3");
/// `SLOAD(calldata[0])`, returned.
const LOAD: Bytes = bytes!("6000355460005260206000f3");
/// `BALANCE(calldata[0])`, returned.
const BALANCE: Bytes = bytes!("6000353160005260206000f3");
/// `BASEFEE`, returned.
const BASEFEE: Bytes = bytes!("4860005260206000f3");
/// Sends its value to `calldata[0]`, then logs.
const FORWARD: Bytes = bytes!("6000600060006000346000355af150602a600052600760206000a100");

/// Rules of one fork; the base fee is the parent's plus one for each byte of `extraData`.
struct Host {
    fork: OpFork,
    trie: StateTrie,
}

impl Host {
    fn new(fork: OpFork) -> Self {
        let mut trie = StateTrie::default();
        trie.apply(&all_of(&state())).unwrap();
        Self { fork, trie }
    }
}

type Cause = Box<dyn core::error::Error + Send + Sync>;

impl SimulationHost for Host {
    fn fork_at(&self, _timestamp: u64) -> OpFork {
        self.fork
    }

    fn next_base_fee(&self, parent: &Header, _timestamp: u64) -> Result<u64, Cause> {
        let base_fee = parent.base_fee_per_gas.unwrap();
        Ok(base_fee + parent.extra_data.len() as u64)
    }

    fn roots(&mut self, changes: &Changes) -> Result<Roots, Cause> {
        self.trie.apply(changes)?;
        Ok(self.trie.roots()?)
    }
}

fn request(blocks: Vec<BlockCalls>) -> SimulationRequest {
    SimulationRequest {
        base: SimulationBase {
            header: Header {
                number: BASE,
                timestamp: BASE_TIME,
                gas_limit: GAS_LIMIT,
                beneficiary: user(5),
                base_fee_per_gas: Some(1_000),
                extra_data: Bytes::from_static(&[0; 9]),
                ..Header::default()
            },
            hash: BASE_HASH,
            chain_id: CHAIN_ID,
            da_footprint_gas_scalar: 400,
        },
        blocks,
        trace_transfers: false,
        validation: false,
        gas_cap: CAP,
        calls_max: 100,
        result_bytes_max: 1 << 20,
    }
}

fn run(request: &SimulationRequest) -> Result<Vec<SimulatedBlock>, SimulationError> {
    simulate(request, state(), &mut Host::new(OpFork::Karst))
}

fn calls(calls: impl IntoIterator<Item = CallRequest>) -> BlockCalls {
    BlockCalls {
        calls: calls.into_iter().collect(),
        ..BlockCalls::default()
    }
}

fn at(number: u64) -> BlockCalls {
    BlockCalls {
        block: BlockOverrides {
            number: Some(number),
            ..BlockOverrides::default()
        },
        ..BlockCalls::default()
    }
}

fn to(address: Address, data: impl Into<Bytes>) -> CallRequest {
    CallRequest {
        from: user(0),
        to: address.into(),
        data: data.into(),
        ..CallRequest::default()
    }
}

fn code(code: &Bytes) -> AccountOverride {
    AccountOverride {
        code: Some(code.clone()),
        ..AccountOverride::default()
    }
}

fn with<const N: usize>(
    accounts: [(Address, AccountOverride); N],
    block: BlockCalls,
) -> BlockCalls {
    BlockCalls {
        state: accounts.into_iter().collect::<AddressMap<_>>(),
        ..block
    }
}

fn returned(blocks: &[SimulatedBlock], block: usize, call: usize) -> U256 {
    match &blocks[block].calls[call].status {
        CallStatus::Success(output) => U256::from_be_slice(output),
        other => panic!("call {call} of block {block}: {other:?}"),
    }
}

fn invalid(request: &SimulationRequest) -> InvalidMessage {
    match run(request) {
        Err(SimulationError::InvalidCall { reason, .. }) => reason,
        other => panic!("expected an invalid call: {other:?}"),
    }
}

#[test]
fn blocks_chain_and_see_each_other() {
    let reader = EMPTY_PLACE;
    let ask = |number| to(reader, word(number));
    let blocks = run(&request(vec![
        with([(reader, code(&BLOCKHASH))], calls([ask(BASE)])),
        BlockCalls {
            calls: vec![ask(BASE + 1), ask(BASE + 3), ask(BASE + 4)],
            ..at(BASE + 4)
        },
    ]))
    .unwrap();
    let numbers: Vec<_> = blocks.iter().map(|b| b.block.header.number).collect();
    assert_eq!(numbers, [BASE + 1, BASE + 2, BASE + 3, BASE + 4]);
    let times: Vec<_> = blocks
        .iter()
        .map(|b| b.block.header.timestamp - BASE_TIME)
        .collect();
    assert_eq!(times, [12, 24, 36, 48]);
    let mut parent = BASE_HASH;
    for simulated in &blocks {
        assert_eq!(simulated.block.header.parent_hash, parent);
        assert_eq!(simulated.block.header.hash_slow(), simulated.block.hash);
        parent = simulated.block.hash;
    }
    assert_eq!(returned(&blocks, 0, 0), U256::from_be_bytes(BASE_HASH.0));
    assert_eq!(
        returned(&blocks, 3, 0),
        U256::from_be_bytes(blocks[0].block.hash.0)
    );
    assert_eq!(
        returned(&blocks, 3, 1),
        U256::from_be_bytes(blocks[2].block.hash.0)
    );
    assert_eq!(returned(&blocks, 3, 2), U256::ZERO);
}

/// What one block leaves is what the next one finds, and the roots say so.
#[test]
fn state_goes_on_and_its_roots_are_real() {
    let loader = EMPTY_PLACE;
    let start = AccountOverride {
        state: Some([(U256::from(1), U256::from(11))].into_iter().collect()),
        ..code(&LOAD)
    };
    let patch = AccountOverride {
        state_diff: [(U256::from(2), U256::from(22))].into_iter().collect(),
        ..AccountOverride::default()
    };
    let ask = |slot| to(loader, word(slot));
    let mut host = Host::new(OpFork::Karst);
    let blocks = simulate(
        &request(vec![
            with([(loader, start)], calls([ask(1), ask(2)])),
            with([(loader, patch)], calls([ask(1), ask(2)])),
            calls([to(STORE, words(&[word(9), word(5)])), ask(2)]),
        ]),
        state(),
        &mut host,
    )
    .unwrap();
    let seen = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 1)].map(|(b, c)| returned(&blocks, b, c));
    assert_eq!(seen, [11, 0, 11, 22, 22].map(U256::from));
    assert_eq!(
        host.trie.storage(STORE, U256::from(9)).unwrap(),
        U256::from(5)
    );
    assert_eq!(
        host.trie.storage(loader, U256::from(2)).unwrap(),
        U256::from(22)
    );
    assert_eq!(host.trie.account(user(0)).unwrap().unwrap().nonce, 6);
    let last = &blocks[2].block.header;
    assert_eq!(last.state_root, host.trie.roots().unwrap().state);
    assert_ne!(last.state_root, blocks[1].block.header.state_root);
}

#[test]
fn a_block_inherits_what_it_does_not_override() {
    let recipient = user(4);
    let changed = BlockCalls {
        block: BlockOverrides {
            timestamp: Some(BASE_TIME + 13),
            gas_limit: Some(30_000_000),
            fee_recipient: Some(recipient),
            prev_randao: Some(word(7)),
            base_fee: Some(9),
            parent_beacon_block_root: Some(word(8)),
            ..BlockOverrides::default()
        },
        ..BlockCalls::default()
    };
    let blocks = run(&request(vec![
        BlockCalls::default(),
        changed,
        BlockCalls::default(),
    ]))
    .unwrap();
    let headers: Vec<_> = blocks.iter().map(|b| &b.block.header).collect();
    assert_eq!(
        (headers[0].beneficiary, headers[0].gas_limit),
        (user(5), GAS_LIMIT)
    );
    assert_eq!(
        (headers[2].beneficiary, headers[2].gas_limit),
        (recipient, 30_000_000)
    );
    let fees: Vec<_> = headers
        .iter()
        .map(|h| h.base_fee_per_gas.unwrap())
        .collect();
    assert_eq!(fees, [0, 9, 0]);
    let mixes: Vec<_> = headers.iter().map(|h| h.mix_hash).collect();
    assert_eq!(mixes, [B256::ZERO, word(7), B256::ZERO]);
    assert_eq!(headers[1].parent_beacon_block_root, Some(word(8)));
    assert_eq!(headers[2].parent_beacon_block_root, Some(B256::ZERO));
}

#[test]
fn numbers_and_times_must_grow_within_bounds() {
    let numbers = |numbers: &[u64]| run(&request(numbers.iter().map(|n| at(*n)).collect()));
    assert!(matches!(
        numbers(&[BASE + 5, BASE + 5]),
        Err(SimulationError::BlockNumber { number, previous }) if number == previous
    ));
    assert!(matches!(
        numbers(&[BASE]),
        Err(SimulationError::BlockNumber { .. })
    ));
    assert_eq!(numbers(&[BASE + SIMULATED_BLOCKS_MAX]).unwrap().len(), 256);
    for far in [BASE + SIMULATED_BLOCKS_MAX + 1, u64::MAX] {
        assert!(matches!(
            numbers(&[far]),
            Err(SimulationError::TooManyBlocks)
        ));
    }
    let mut early = at(BASE + 3);
    early.block.timestamp = Some(BASE_TIME + 24);
    assert!(matches!(
        run(&request(vec![early])),
        Err(SimulationError::BlockTimestamp { .. })
    ));
    let many = (0..3).map(|_| calls(vec![to(LOGGER, Bytes::new()); 34]));
    assert!(matches!(
        run(&request(many.collect())),
        Err(SimulationError::TooManyCalls {
            calls: 102,
            max: 100
        })
    ));
}

#[test]
fn failing_calls_are_results() {
    let burn = CallRequest {
        gas: Some(30_000),
        ..to(BURNER, Bytes::new())
    };
    let blocks = run(&request(vec![calls([
        to(REVERTER, bytes!("deadbeef")),
        burn,
        to(LOGGER, bytes!("01")),
    ])]))
    .unwrap();
    let done = &blocks[0].calls;
    assert_eq!(done[0].status, CallStatus::Revert(bytes!("deadbeef")));
    assert_eq!(
        done[1].status,
        CallStatus::Halt {
            reason: "out of gas".to_owned(),
            out_of_gas: true
        }
    );
    assert_eq!(done[1].gas_used, 30_000);
    assert_eq!(done[2].logs.len(), 1);
    let header = &blocks[0].block.header;
    let gas: u64 = done.iter().map(|call| call.gas_used).sum();
    assert_eq!(header.gas_used, gas);
    assert_eq!(blocks[0].block.transaction_count(), 3);
    assert!(!header.logs_bloom.is_zero());
    // 400 gas for each of 100 estimated bytes.
    assert_eq!(header.blob_gas_used, Some(3 * 100 * 400));
}

#[test]
fn refunds_show_in_the_most_gas() {
    // SSTORE(1, 0), where 77 was.
    let block = with(
        [(STORE, code(&bytes!("5f600155")))],
        calls([to(STORE, Bytes::new())]),
    );
    let blocks = run(&request(vec![block])).unwrap();
    let call = &blocks[0].calls[0];
    assert_eq!(call.gas_used_max - call.gas_used, 4_800);
}

#[test]
fn ether_is_logged_where_it_moves_and_stays() {
    let forwarder = EMPTY_PLACE;
    let paying = |address: Address, value: u64, data: Bytes| CallRequest {
        value: U256::from(value),
        ..to(address, data)
    };
    let create = CallRequest {
        to: TxKind::Create,
        ..paying(Address::ZERO, 7, child_init_code().into())
    };
    let block = with(
        [(forwarder, code(&FORWARD))],
        calls([
            paying(user(1), 1, Bytes::new()),
            paying(forwarder, 2, user(1).into_word().into()),
            // The inner call fails, the outer one goes on.
            paying(forwarder, 3, REVERTER.into_word().into()),
            paying(REVERTER, 4, Bytes::new()),
            create,
            to(user(1), Bytes::new()),
        ]),
    );
    let mut request = request(vec![block]);
    let untraced = run(&request).unwrap();
    request.trace_transfers = true;
    let traced = run(&request).unwrap();
    // Receipts, blooms and gas do not depend on it.
    assert_eq!(untraced[0].block.hash, traced[0].block.hash);
    let transfer = |from: Address, to: Address, value: u64| {
        (from.into_word(), to.into_word(), U256::from(value))
    };
    let created = user(0).create(4);
    let expected = [
        vec![transfer(user(0), user(1), 1)],
        vec![
            transfer(user(0), forwarder, 2),
            transfer(forwarder, user(1), 2),
        ],
        vec![transfer(user(0), forwarder, 3)],
        vec![],
        vec![transfer(user(0), created, 7)],
        vec![],
    ];
    for (call, expected) in traced[0].calls.iter().zip(expected) {
        let moved: Vec<_> = call
            .logs
            .iter()
            .filter(|log| log.address == ETHER_LOG)
            .map(|log| {
                let topics = log.topics();
                (topics[1], topics[2], U256::from_be_slice(&log.data.data))
            })
            .collect();
        assert_eq!(moved, expected);
    }
    // In order among the contract's own logs, which come after both transfers.
    let addresses: Vec<_> = traced[0].calls[1].logs.iter().map(|l| l.address).collect();
    assert_eq!(addresses, [ETHER_LOG, ETHER_LOG, forwarder]);
    assert_eq!(untraced[0].calls[1].logs.len(), 1);
}

#[test]
fn validation_checks_nonces_and_fees() {
    let checked = |call: CallRequest| SimulationRequest {
        validation: true,
        ..request(vec![calls([call])])
    };
    let priced = CallRequest {
        gas: Some(100_000),
        gas_price: Some(2_000),
        priority_fee: Some(1),
        ..to(user(1), Bytes::new())
    };
    // One more for each byte of the base block's extra data.
    let blocks = run(&checked(priced.clone())).unwrap();
    assert_eq!(blocks[0].block.header.base_fee_per_gas, Some(1_009));
    let late = CallRequest {
        nonce: Some(1),
        ..priced.clone()
    };
    assert!(matches!(
        invalid(&checked(late.clone())),
        InvalidMessage::NonceTooHigh {
            nonce: 1,
            state: 0,
            ..
        }
    ));
    let unchecked = request(vec![calls([late])]);
    assert!(run(&unchecked).is_ok());
    let used = CallRequest {
        from: STORE,
        nonce: Some(0),
        ..priced.clone()
    };
    assert!(matches!(
        invalid(&checked(used)),
        InvalidMessage::NonceTooLow {
            nonce: 0,
            state: 1,
            ..
        }
    ));
    let cheap = CallRequest {
        gas_price: Some(1_008),
        ..priced.clone()
    };
    assert!(matches!(
        invalid(&checked(cheap)),
        InvalidMessage::FeeCapBelowBaseFee {
            base_fee: 1_009,
            ..
        }
    ));
    // Also without validation, where the call names a fee.
    let mut low = request(vec![calls([CallRequest {
        gas_price: Some(5),
        ..priced
    }])]);
    low.blocks[0].block.base_fee = Some(6);
    assert!(matches!(
        invalid(&low),
        InvalidMessage::FeeCapBelowBaseFee { base_fee: 6, .. }
    ));
}

#[test]
fn the_base_fee_follows_from_block_to_block() {
    let mut request = request(vec![BlockCalls::default(), BlockCalls::default()]);
    request.validation = true;
    let blocks = run(&request).unwrap();
    let fees: Vec<_> = blocks
        .iter()
        .map(|b| b.block.header.base_fee_per_gas.unwrap())
        .collect();
    assert_eq!(fees, [1_009, 1_018]);
}

#[test]
fn what_cannot_run_is_refused_for_its_reason() {
    let one = |call| request(vec![calls([call])]);
    let gift = CallRequest {
        from: PAUPER,
        value: U256::from(5),
        ..to(user(1), Bytes::new())
    };
    assert!(matches!(
        invalid(&one(gift)),
        InvalidMessage::InsufficientFunds { balance, cost, .. }
            if balance.is_zero() && cost == U256::from(5)
    ));
    let starved = CallRequest {
        gas: Some(20_999),
        ..to(user(1), Bytes::new())
    };
    assert!(matches!(
        invalid(&one(starved)),
        InvalidMessage::IntrinsicGas {
            gas: 20_999,
            intrinsic: 21_000
        }
    ));
    let large = CallRequest {
        to: TxKind::Create,
        ..to(Address::ZERO, vec![0; 49_153])
    };
    assert!(matches!(
        invalid(&one(large)),
        InvalidMessage::InitCodeSize { size_bytes: 49_153 }
    ));
    let greedy = CallRequest {
        gas_price: Some(1),
        priority_fee: Some(2),
        ..to(user(1), Bytes::new())
    };
    assert!(matches!(
        invalid(&one(greedy)),
        InvalidMessage::TipAboveFeeCap { .. }
    ));
}

#[test]
fn a_blocks_gas_and_the_request_s_gas_run_out() {
    let mut small = request(vec![calls([
        to(user(1), Bytes::new()),
        CallRequest {
            gas: Some(40_000),
            ..to(user(1), Bytes::new())
        },
    ])]);
    small.blocks[0].block.gas_limit = Some(60_000);
    assert!(matches!(
        invalid(&small),
        InvalidMessage::BlockGasLimit {
            remaining: 39_000,
            asked: 40_000
        }
    ));

    let mut capped = request(vec![
        calls([to(user(1), Bytes::new())]),
        calls([to(BURNER, Bytes::new())]),
    ]);
    capped.gas_cap = 100_000;
    let blocks = run(&capped).unwrap();
    assert!(blocks[1].calls[0].gas_capped);
    assert_eq!(blocks[1].calls[0].gas_used, 79_000);
    capped.blocks.push(calls([to(user(1), Bytes::new())]));
    assert!(matches!(
        invalid(&capped),
        InvalidMessage::IntrinsicGas { gas: 0, .. }
    ));
}

#[test]
fn results_are_bounded_in_bytes() {
    // A log of 100 bytes and a revert of 50, in two blocks.
    let mut request = request(vec![
        calls([to(LOGGER, vec![0; 100])]),
        calls([to(REVERTER, vec![0; 50])]),
    ]);
    request.result_bytes_max = 256 + 100 + 50;
    assert_eq!(run(&request).unwrap().len(), 2);
    request.result_bytes_max -= 1;
    assert!(matches!(
        run(&request),
        Err(SimulationError::ResultTooLarge { max_bytes: 405 })
    ));
}

/// A free call pays nobody and reads the base fee all the same; a priced one pays recipient and
/// vault, and neither L1 data fee nor operator fee.
#[test]
fn fees_go_where_they_belong() {
    let (reader, teller) = (EMPTY_PLACE, Address::repeat_byte(0x5f));
    let recipient = Address::repeat_byte(0x60);
    let balance = |of: Address| to(reader, of.into_word());
    let priced = CallRequest {
        gas_price: Some(110),
        priority_fee: Some(10),
        ..to(user(1), Bytes::new())
    };
    let mut block = with(
        [(reader, code(&BALANCE)), (teller, code(&BASEFEE))],
        calls([
            to(teller, Bytes::new()),
            balance(BASE_FEE_VAULT),
            priced,
            balance(BASE_FEE_VAULT),
            balance(recipient),
            balance(user(0)),
        ]),
    );
    block.block.base_fee = Some(100);
    block.block.fee_recipient = Some(recipient);
    let blocks = run(&request(vec![block])).unwrap();
    let seen = [0, 1, 3, 4, 5].map(|call| returned(&blocks, 0, call));
    let paid = U256::from(21_000 * 110);
    assert_eq!(
        seen,
        [
            U256::from(100),
            U256::ZERO,
            U256::from(21_000 * 100),
            U256::from(21_000 * 10),
            U256::from(ETHER) - paid,
        ]
    );
}

#[test]
fn precompiles_move_for_one_block() {
    let moved = AccountOverride {
        move_precompile_to: Some(EMPTY_PLACE),
        ..code(&BASEFEE)
    };
    let hash = U256::from_be_bytes(hex!(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    ));
    let ask = || [to(EMPTY_PLACE, Bytes::new()), to(SHA256, Bytes::new())];
    let mut first = with([(SHA256, moved)], calls(ask()));
    first.block.base_fee = Some(3);
    let blocks = run(&request(vec![first, calls(ask())])).unwrap();
    assert_eq!(returned(&blocks, 0, 0), hash);
    assert_eq!(returned(&blocks, 0, 1), U256::from(3));
    assert_eq!(returned(&blocks, 1, 0), U256::ZERO);
    assert_eq!(returned(&blocks, 1, 1), hash);
}

#[test]
fn contradicting_moves_are_refused() {
    let moved = |to| AccountOverride {
        move_precompile_to: Some(to),
        ..AccountOverride::default()
    };
    let refused = |accounts: Vec<(Address, AccountOverride)>| {
        let block = BlockCalls {
            state: accounts.into_iter().collect(),
            ..BlockCalls::default()
        };
        match run(&request(vec![block])) {
            Err(SimulationError::Override(error)) => error,
            other => panic!("expected contradicting overrides: {other:?}"),
        }
    };
    assert_eq!(
        refused(vec![(STORE, moved(EMPTY_PLACE))]),
        OverrideError::NotPrecompile(STORE)
    );
    assert_eq!(
        refused(vec![(SHA256, moved(SHA256))]),
        OverrideError::MovedOntoItself(SHA256)
    );
    assert_eq!(
        refused(vec![(SHA256, moved(STORE)), (STORE, code(&BASEFEE))]),
        OverrideError::MovedOntoOverridden { to: STORE }
    );
    assert_eq!(
        refused(vec![(SHA256, moved(STORE)), (IDENTITY, moved(STORE))]),
        OverrideError::MovedTwice { to: STORE }
    );
}

/// Bytes that only begin like a delegation are code, not a fault.
#[test]
fn code_that_looks_like_a_delegation_is_code() {
    let block = with(
        [(EMPTY_PLACE, code(&bytes!("ef0100aa")))],
        calls([to(EMPTY_PLACE, Bytes::new())]),
    );
    let blocks = run(&request(vec![block])).unwrap();
    assert!(matches!(blocks[0].calls[0].status, CallStatus::Halt { .. }));
}
