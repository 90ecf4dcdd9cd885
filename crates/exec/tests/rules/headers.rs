//! Which header fields a fork has.

use std::sync::Arc;

use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::B256;
use blockwright_seams::OpenBlock as _;
use blockwright_types::{OpFork, Roots};

use crate::world::{context, open, state};

#[test]
fn header_fields_appear_with_their_forks() {
    let roots = Roots {
        state: B256::repeat_byte(1),
        message_passer: B256::repeat_byte(2),
    };
    for fork in OpFork::ALL {
        let mut block = open(context(fork), &Arc::new(state()), &[]);
        block.take_changes();
        block.cut(0);
        let sealed = block.seal(0, &roots);
        let header = &sealed.block.header;
        let withdrawals = if fork >= OpFork::Isthmus {
            Some(roots.message_passer)
        } else {
            (fork >= OpFork::Canyon).then_some(EMPTY_WITHDRAWALS)
        };
        assert_eq!(header.withdrawals_root, withdrawals, "{fork}");
        let ecotone = fork >= OpFork::Ecotone;
        assert_eq!(header.blob_gas_used, ecotone.then_some(0), "{fork}");
        assert_eq!(header.excess_blob_gas, ecotone.then_some(0), "{fork}");
        let beacon = ecotone.then_some(B256::repeat_byte(0x33));
        assert_eq!(header.parent_beacon_block_root, beacon, "{fork}");
        let requests = (fork >= OpFork::Isthmus).then_some(EMPTY_REQUESTS_HASH);
        assert_eq!(header.requests_hash, requests, "{fork}");
        assert_eq!(sealed.block.hash, header.hash_slow());
        let flashblock = &sealed.flashblock;
        assert_eq!(flashblock.withdrawals_root, withdrawals.unwrap_or_default());
        assert_eq!(flashblock.base.as_ref().unwrap().block_number, 100);
    }
}

/// EIP-2935 and EIP-4788 write what the block says, from their forks on.
#[test]
fn system_calls_write_parent_hash_and_beacon_root() {
    let contracts = [
        (
            OpFork::Isthmus,
            alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS,
            0x11,
        ),
        (
            OpFork::Ecotone,
            alloy_eips::eip4788::BEACON_ROOTS_ADDRESS,
            0x33,
        ),
    ];
    for fork in OpFork::ALL {
        let mut block = open(context(fork), &Arc::new(state()), &[]);
        let changes = block.take_changes().unwrap_or_default();
        for (since, address, byte) in contracts {
            let written = changes.accounts.get(&address);
            assert_eq!(written.is_some(), fork >= since, "{fork}");
            if let Some(written) = written {
                let value = alloy_primitives::U256::from_be_bytes(B256::repeat_byte(byte).0);
                assert!(
                    written.storage.values().any(|slot| *slot == value),
                    "{fork}"
                );
            }
        }
    }
}
