//! `builder_status`.

use std::time::Duration;

use alloy_primitives::{Address, B256, U64};
use blockwright_signer::BlsPublicKey;
use blockwright_types::PayloadId;
use serde::Serialize;

use crate::BlindDesk;

/// A builder that published nothing for this long is not well.
const SILENCE: Duration = Duration::from_secs(30);

/// How the builder is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    head: HeadStatus,
    /// Blocks that are being built.
    jobs: U64,
    last_flashblock: Option<LastFlashblock>,
    keys: Keys,
    /// Who is expected to ask for headers, and who has its fees.
    expected_proposer: Option<ExpectedProposer>,
    health: Health,
}

#[derive(Clone, Debug, Serialize)]
struct HeadStatus {
    number: U64,
    hash: B256,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastFlashblock {
    payload_id: PayloadId,
    block_number: U64,
    index: U64,
    age_ms: U64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    /// Whose signature bids have.
    secp256k1_address: Option<Address>,
    /// Whose signature headers have.
    bls_public_key: Option<BlsPublicKey>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExpectedProposer {
    public_key: BlsPublicKey,
    fee_recipient: Address,
}

#[derive(Clone, Debug, Serialize)]
struct Health {
    ok: bool,
    /// What is not as it should be.
    problems: Vec<&'static str>,
}

impl Status {
    /// The builder that signs bids as `bidder`.
    pub(crate) fn of(desk: &BlindDesk, bidder: Option<Address>) -> Self {
        let source = desk.source();
        let head = source.head();
        let bids = source.bids();
        let last_flashblock = bids.borrow().as_ref().map(|bid| LastFlashblock {
            payload_id: bid.payload_id,
            block_number: bid.slot,
            index: bid.flashblock_index,
            age_ms: U64::from(u64::try_from(bid.seen_at.elapsed().as_millis()).unwrap_or(u64::MAX)),
        });
        let age = bids.borrow().as_ref().map(|bid| bid.seen_at.elapsed());
        let bls_public_key = desk.public_key();
        let problems = [
            (bidder.is_none(), "there is no secp256k1 key: no bids"),
            (bls_public_key.is_none(), "there is no BLS key: no headers"),
            (age.is_none(), "nothing was built yet"),
            (
                age.is_some_and(|age| age > SILENCE),
                "nothing was built for 30 s",
            ),
        ];
        let problems: Vec<_> = problems
            .into_iter()
            .filter_map(|(is_so, problem)| is_so.then_some(problem))
            .collect();
        let expected = desk.expected();
        Self {
            head: HeadStatus {
                number: U64::from(head.number),
                hash: head.hash,
            },
            jobs: U64::from(source.jobs()),
            last_flashblock,
            keys: Keys {
                secp256k1_address: bidder,
                bls_public_key,
            },
            expected_proposer: expected.map(|(public_key, fee_recipient)| ExpectedProposer {
                public_key,
                fee_recipient,
            }),
            health: Health {
                ok: problems.is_empty(),
                problems,
            },
        }
    }
}
