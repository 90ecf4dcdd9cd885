use alloy_primitives::{Bytes, hex};

use super::*;
use crate::testing::{chain_at, chain_of, child_of, dev_document};

/// What comes of a valid child of genesis under `fork` after a change.
fn with(fork: OpFork, change: impl FnOnce(&mut Header)) -> Result<BlockContext, HeaderError> {
    let chain = chain_at(fork);
    let mut header = child_of(&chain, chain.genesis_header());
    change(&mut header);
    chain.context_for_header(chain.genesis_header(), &header)
}

#[test]
fn every_fork_accepts_its_header() {
    for fork in OpFork::ALL {
        let context = with(fork, |_| {}).unwrap_or_else(|error| panic!("{fork}: {error}"));
        assert_eq!((context.fork, context.number), (fork, 1));
        assert_eq!(context.activates, None);
    }
}

#[test]
fn the_first_block_of_a_fork_is_its_activation_block() {
    let mut document = dev_document(OpFork::Isthmus);
    document["config"]["jovianTime"] = 1_700_000_002.into();
    document["config"]["karstTime"] = 1_700_000_006.into();
    let chain = chain_of(&document);
    let mut parent = chain.genesis_header().clone();
    for expected in [Some(OpFork::Jovian), None, Some(OpFork::Karst), None] {
        let header = child_of(&chain, &parent);
        let context = chain.context_for_header(&parent, &header).unwrap();
        assert_eq!(context.activates, expected, "block {}", header.number);
        parent = header;
    }
}

#[test]
fn gas_limits_may_jump() {
    for gas_limit in [6, 60_000_000 * 1_000, GAS_LIMIT_MAX] {
        assert!(with(OpFork::Karst, |header| header.gas_limit = gas_limit).is_ok());
    }
}

#[test]
fn lineage_is_checked() {
    assert!(matches!(
        with(OpFork::Karst, |header| header.number = 2),
        Err(HeaderError::Number { parent: 0, got: 2 })
    ));
    assert!(matches!(
        with(OpFork::Karst, |header| header.timestamp = 1_700_000_000),
        Err(HeaderError::Timestamp { .. })
    ));
    assert!(matches!(
        with(OpFork::Karst, |header| header.parent_hash = B256::ZERO),
        Err(HeaderError::ParentHash { .. })
    ));
}

#[test]
fn constants_are_checked() {
    let karst = |change: fn(&mut Header)| with(OpFork::Karst, change).unwrap_err();
    assert_eq!(
        karst(|h| h.gas_limit = 1 << 63),
        HeaderError::GasLimitTooLarge(1 << 63)
    );
    assert_eq!(
        karst(|h| h.gas_used = h.gas_limit + 1),
        HeaderError::GasUsed {
            gas_used: 60_000_001,
            gas_limit: 60_000_000
        }
    );
    assert_eq!(
        karst(|h| h.difficulty = U256::ONE),
        HeaderError::Difficulty(U256::ONE)
    );
    assert_eq!(
        karst(|h| h.nonce = B64::from(1_u64)),
        HeaderError::Nonce(B64::from(1_u64))
    );
    assert_eq!(
        karst(|h| h.ommers_hash = B256::ZERO),
        HeaderError::Ommers(B256::ZERO)
    );
}

#[test]
fn base_fees_are_checked() {
    assert_eq!(
        with(OpFork::Karst, |h| h.base_fee_per_gas = Some(1)),
        Err(HeaderError::BaseFee {
            expected: 996_000_000,
            got: 1
        })
    );
    assert_eq!(
        with(OpFork::Karst, |h| h.base_fee_per_gas = None),
        Err(HeaderError::BaseFeeMissing)
    );
}

#[test]
fn extra_data_is_checked_by_the_blocks_own_fork() {
    let set = |bytes: &[u8]| {
        let extra_data = Bytes::copy_from_slice(bytes);
        move |header: &mut Header| header.extra_data = extra_data
    };
    for (fork, bytes) in [
        (OpFork::Granite, hex!("00000000fa00000006").as_slice()),
        (OpFork::Holocene, &[]),
        (OpFork::Isthmus, &hex!("01000000fa000000060000000000000000")),
        (OpFork::Jovian, &hex!("00000000fa00000006")),
        (OpFork::Karst, &hex!("0100000000000000060000000000000000")),
    ] {
        assert!(
            matches!(with(fork, set(bytes)), Err(HeaderError::ExtraData(_))),
            "{fork}"
        );
    }
}

#[test]
fn fields_appear_with_their_fork() {
    type Change = fn(&mut Header);
    let fields: [(&str, OpFork, Change, Change); 5] = [
        (
            "withdrawalsRoot",
            OpFork::Canyon,
            |h| h.withdrawals_root = None,
            |h| h.withdrawals_root = Some(EMPTY_WITHDRAWALS),
        ),
        (
            "parentBeaconBlockRoot",
            OpFork::Ecotone,
            |h| h.parent_beacon_block_root = None,
            |h| h.parent_beacon_block_root = Some(B256::ZERO),
        ),
        (
            "excessBlobGas",
            OpFork::Ecotone,
            |h| h.excess_blob_gas = None,
            |h| h.excess_blob_gas = Some(0),
        ),
        (
            "blobGasUsed",
            OpFork::Ecotone,
            |h| h.blob_gas_used = None,
            |h| h.blob_gas_used = Some(0),
        ),
        (
            "requestsHash",
            OpFork::Isthmus,
            |h| h.requests_hash = None,
            |h| h.requests_hash = Some(EMPTY_REQUESTS_HASH),
        ),
    ];
    for (field, since, remove, add) in fields {
        for fork in OpFork::ALL {
            let (absent, present) = (with(fork, remove), with(fork, add));
            if fork >= since {
                assert_eq!(absent, Err(HeaderError::Missing { field, fork }));
                assert!(present.is_ok(), "{field} under {fork}");
            } else {
                assert!(absent.is_ok(), "{field} under {fork}");
                assert_eq!(present, Err(HeaderError::Unexpected { field, fork }));
            }
        }
    }
    let unknown = with(OpFork::Karst, |h| {
        h.block_access_list_hash = Some(B256::ZERO)
    });
    let fork = OpFork::Karst;
    assert_eq!(
        unknown,
        Err(HeaderError::Unexpected {
            field: "blockAccessListHash",
            fork
        })
    );
    let unknown = with(OpFork::Karst, |h| h.slot_number = Some(0));
    assert_eq!(
        unknown,
        Err(HeaderError::Unexpected {
            field: "slotNumber",
            fork
        })
    );
}

#[test]
fn fork_fields_have_their_values() {
    let other = B256::repeat_byte(9);
    let root = |h: &mut Header| h.withdrawals_root = Some(other);
    assert_eq!(
        with(OpFork::Holocene, root),
        Err(HeaderError::WithdrawalsRoot {
            fork: OpFork::Holocene,
            got: other
        })
    );
    assert!(
        with(OpFork::Isthmus, root).is_ok(),
        "the message passer's storage root"
    );
    assert_eq!(
        with(OpFork::Isthmus, |h| h.requests_hash = Some(other)),
        Err(HeaderError::RequestsHash(other))
    );
    assert_eq!(
        with(OpFork::Ecotone, |h| h.excess_blob_gas = Some(1)),
        Err(HeaderError::ExcessBlobGas(1))
    );
    assert_eq!(
        with(OpFork::Isthmus, |h| h.blob_gas_used = Some(1)),
        Err(HeaderError::BlobGasUsed {
            fork: OpFork::Isthmus,
            got: 1
        })
    );
    assert!(with(OpFork::Jovian, |h| h.blob_gas_used = Some(60_000_000)).is_ok());
    assert_eq!(
        with(OpFork::Jovian, |h| h.blob_gas_used = Some(60_000_001)),
        Err(HeaderError::DaFootprint {
            footprint: 60_000_001,
            gas_limit: 60_000_000
        })
    );
}

#[test]
fn bodies_are_checked() {
    use crate::{BodyError, transactions_root};
    let transactions = [vec![0x7e, 1], vec![2; 200]];
    for (fork, withdrawals) in [(OpFork::Regolith, None), (OpFork::Karst, Some(0))] {
        let chain = chain_at(fork);
        let mut header = child_of(&chain, chain.genesis_header());
        header.transactions_root = transactions_root(&transactions);
        assert_eq!(
            chain.check_body(&header, &transactions, withdrawals),
            Ok(())
        );
        assert!(matches!(
            chain.check_body(&header, &transactions[..1], withdrawals),
            Err(BodyError::TransactionsRoot { .. })
        ));
        let refused = match fork {
            OpFork::Karst => [
                (None, BodyError::WithdrawalsMissing),
                (Some(1), BodyError::WithdrawalsNotEmpty(1)),
            ],
            _ => [
                (Some(0), BodyError::WithdrawalsUnexpected),
                (Some(1), BodyError::WithdrawalsUnexpected),
            ],
        };
        for (withdrawals, error) in refused {
            assert_eq!(
                chain.check_body(&header, &transactions, withdrawals),
                Err(error)
            );
        }
    }
}
