//! From attributes to a request.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_consensus::{Signed, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B64, B256, Bytes, Signature, U256};
use alloy_rpc_types_engine::PayloadAttributes;
use blockwright_chain::dev::{DevGenesis, default_l1_attributes, l1_info_deposit};
use blockwright_chain::{AttributesError, ChainSpec};
use blockwright_requests::{RequestError, Wanted, build_request, decode_all};
use blockwright_types::{BuildRequest, OpFork, PayloadId, RecoveredTx, SharedTx, UnixUs};
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;

const RECEIVED_AT: UnixUs = UnixUs(5);

fn chain(fork: OpFork) -> ChainSpec {
    let genesis = DevGenesis {
        fork,
        ..DevGenesis::default()
    };
    let json = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
    ChainSpec::from_genesis_json(&json).unwrap()
}

fn attributes(chain: &ChainSpec, fork: OpFork) -> OpPayloadAttributes {
    let since = |from: OpFork| fork >= from;
    let deposit = l1_info_deposit(fork, &default_l1_attributes(), 1);
    OpPayloadAttributes {
        payload_attributes: PayloadAttributes {
            timestamp: chain.genesis_header().timestamp + 2,
            withdrawals: since(OpFork::Canyon).then(Vec::new),
            parent_beacon_block_root: since(OpFork::Ecotone).then_some(B256::ZERO),
            ..PayloadAttributes::default()
        },
        transactions: Some(vec![OpTxEnvelope::from(deposit).encoded_2718().into()]),
        no_tx_pool: Some(true),
        gas_limit: Some(30_000_000),
        eip_1559_params: since(OpFork::Holocene).then_some(B64::ZERO),
        min_base_fee: since(OpFork::Jovian).then_some(0),
    }
}

fn request(
    chain: &ChainSpec,
    attributes: &OpPayloadAttributes,
) -> Result<BuildRequest, RequestError> {
    let wanted = Wanted {
        id: PayloadId::new([7; 8]),
        parent: chain.genesis_header(),
        parent_hash: chain.genesis_hash(),
        attributes,
        received_at: RECEIVED_AT,
    };
    build_request(chain, &wanted, |_| None)
}

#[test]
fn a_header_and_attributes_make_a_request_under_every_fork() {
    for fork in OpFork::ALL {
        let chain = chain(fork);
        let request = request(&chain, &attributes(&chain, fork)).unwrap();
        assert_eq!(request.id, PayloadId::new([7; 8]));
        assert_eq!(request.context.fork, fork);
        assert_eq!(request.context.number, 1);
        assert_eq!(request.context.parent_hash, chain.genesis_hash());
        assert_eq!(request.context.gas_limit, 30_000_000);
        assert_eq!(request.parent_timestamp + 2, request.context.timestamp);
        assert_eq!(request.received_at, RECEIVED_AT);
        assert!(request.no_tx_pool);
        let [deposit] = &request.sequencer_transactions[..] else {
            panic!("one transaction");
        };
        assert!(deposit.is_deposit());
    }
}

#[test]
fn what_breaks_a_rule_is_named() {
    let chain = chain(OpFork::Karst);
    let refused = |change: &dyn Fn(&mut OpPayloadAttributes)| {
        let mut attributes = attributes(&chain, OpFork::Karst);
        change(&mut attributes);
        request(&chain, &attributes).unwrap_err()
    };
    let error = refused(&|attributes| attributes.gas_limit = None);
    let missing = AttributesError::GasLimitMissing;
    assert!(matches!(&error, RequestError::Attributes(cause) if *cause == missing));
    assert_eq!(error.code(), -38003);
    let error = refused(&|attributes| attributes.payload_attributes.slot_number = Some(1));
    assert_eq!(
        error.to_string(),
        "invalid payload attributes: slotNumber is not allowed under any fork up to Karst"
    );
    let error = refused(&|attributes| {
        let transactions = attributes.transactions.get_or_insert_default();
        transactions.push(Bytes::from_static(&[2, 0]));
    });
    assert!(
        matches!(error, RequestError::Transaction { index: 1, .. }),
        "{error}"
    );
}

#[test]
fn a_transaction_that_is_known_is_not_recovered() {
    // Whoever recovers it learns of another sender, or of none.
    let signature = Signature::new(U256::from(1), U256::from(1), false);
    let envelope = OpTxEnvelope::from(Signed::new_unhashed(TxEip1559::default(), signature));
    let encoded = Bytes::from(envelope.encoded_2718());
    let sender = Address::repeat_byte(0x55);
    let known: SharedTx = Arc::new(RecoveredTx::new(envelope, encoded.clone(), sender));
    let deposit = l1_info_deposit(OpFork::Karst, &default_l1_attributes(), 1);
    let deposit = Bytes::from(OpTxEnvelope::from(deposit).encoded_2718());
    // Few, and so many that other threads help.
    for count in [1, 20] {
        let mut list = vec![encoded.clone(); count];
        list.push(deposit.clone());
        let asked = AtomicUsize::new(0);
        let decoded = decode_all(&list, |hash| {
            asked.fetch_add(1, Ordering::Relaxed);
            (*hash == known.hash).then(|| Arc::clone(&known))
        })
        .unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), count, "deposits name theirs");
        let (last, signed) = decoded.split_last().unwrap();
        assert!(last.is_deposit());
        assert!(signed.iter().all(|tx| tx.sender == sender));
    }
}
