//! A proposer's chain over many blocks: its own node and a builder build each of them, the better block
//! is taken, and whatever the builder does wrong, no block is missed.
//!
//! `PROPOSER_BLOCKS` sets how many blocks there are.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{B256, U256, hex};
use blockwright_builder_client::{
    BuilderClient, Choice, ClientConfig, Offer, Wanted, choose, tips,
};
use blockwright_launch::dev_accounts;
use blockwright_payload::ExecutionPayload;
use blockwright_signer::{LocalSigner, SecretText, Signer};
use serde_json::{Value, json};
use support::feeder::key_file;
use support::liar::{Fault, Liar};
use support::lies::{PAYLOAD_FIELDS, change_payload, field, made_to_fit, other, sign};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::sequencer::{Engine, FORK, attributes, now_ms};
use support::tx::transfer;
use tokio::task::JoinHandle;

const CHAIN_ID: u64 = 901;
/// Of the client, for a whole answer: a builder that hangs costs less than is left of the block.
const TIMEOUT: Duration = Duration::from_millis(500);
/// The builder is asked so long before the block's time.
const LEAD_MS: u64 = 550;
/// The first block is so far ahead.
const AHEAD_S: u64 = 2;
/// Sends to both nodes.
const EVERYBODY: usize = 1;
/// Sends to the proposer's own node alone.
const FRIEND: usize = 2;
/// Sends to the builder alone.
const SEARCHER: usize = 3;

/// What goes wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// A field of the bid is another, and the bid is signed.
    Bid(&'static str),
    /// A field of the payload is another; how that is named.
    Payload(&'static str, &'static str),
    /// Another key has signed.
    OtherKey,
    /// The builder takes the request and says nothing.
    Hang,
    /// The block's timestamp is not that of the attributes, and everything else is made to fit.
    OtherTime,
    /// The deposits are missing, and everything else is made to fit.
    NoDeposit,
    /// The state root is wrong, and everything else is made to fit.
    WrongState,
    /// The bid promises more than the block pays.
    Overbid,
    /// The proposer's own block has more in it.
    Emptier,
    /// The answer is status 500.
    Broken,
    /// The answer ends in the middle.
    Cut,
    /// The builder is killed before it is asked.
    Killed,
    /// It is still dead.
    Dead,
}

/// One after the other, with an honest block after every few; a builder that was killed comes back before they
/// begin again.
fn troubles() -> Vec<Trouble> {
    use Trouble::*;
    // Its value is what Overbid is about.
    let of_the_bid = [
        "slot",
        "parentHash",
        "blockHash",
        "builderAddress",
        "proposerAddress",
        "proposerFeeRecipient",
        "gasLimit",
        "gasUsed",
    ];
    let faults = [
        OtherKey, Hang, OtherTime, NoDeposit, WrongState, Overbid, Emptier, Broken, Cut,
    ];
    let lies = of_the_bid.into_iter().map(Bid);
    let lies = lies.chain(PAYLOAD_FIELDS.map(|(field, named)| Payload(field, named)));
    let all: Vec<_> = faults.into_iter().chain(lies).collect();
    let mut troubles: Vec<_> = all
        .chunks(6)
        .flat_map(|some| [&[None], some].concat())
        .collect();
    troubles.extend([None, Killed, Dead]);
    troubles
}

impl Trouble {
    /// Why the builder's block is not proposed; `None` where it is.
    fn reason(self) -> Option<String> {
        let name = match self {
            Self::None | Self::Overbid => return None,
            Self::Bid(field) => return Some(format!("bid.{field}")),
            Self::Payload(_, named) => named,
            Self::OtherKey => "signer",
            Self::Hang => "too_late",
            Self::OtherTime => "payload.timestamp",
            Self::NoDeposit => "payload.forced",
            Self::WrongState => "invalid",
            Self::Emptier => "less_gas",
            Self::Broken => "refused",
            Self::Cut | Self::Killed | Self::Dead => "unreachable",
        };
        Some(name.to_owned())
    }

    fn fault(self, beacon_root: B256) -> Fault {
        let change = |change: fn(&mut Value)| {
            Fault::Change(Box::new(move |answer: &mut Value| {
                change(answer);
                made_to_fit(answer, beacon_root, &builder_key());
            }))
        };
        match self {
            Self::None | Self::Emptier | Self::Killed | Self::Dead => Fault::Honest,
            Self::Bid(field) => Fault::Change(Box::new(move |answer| {
                let value = &mut answer["message"][field];
                *value = other(value);
                sign(answer, &builder_key());
            })),
            Self::Payload(field, _) => Fault::Change(Box::new(move |answer| {
                change_payload(answer, field);
            })),
            Self::OtherKey => Fault::Change(Box::new(|answer| sign(answer, &proposer()))),
            Self::Hang => Fault::Hang,
            Self::OtherTime => change(|answer| {
                let timestamp = &mut answer["executionPayload"]["timestamp"];
                *timestamp = json!(format!("{:#x}", quantity(timestamp) + 1));
            }),
            Self::NoDeposit => change(|answer| {
                let transactions = &mut answer["executionPayload"]["transactions"];
                transactions.as_array_mut().unwrap().remove(0);
            }),
            Self::WrongState => change(|answer| {
                answer["executionPayload"]["stateRoot"] = json!(B256::repeat_byte(0x66));
            }),
            Self::Overbid => Fault::Change(Box::new(|answer| {
                answer["message"]["value"] = json!("0xde0b6b3a7640000");
                sign(answer, &builder_key());
            })),
            Self::Broken => Fault::Instead(500, "out of order"),
            Self::Cut => Fault::Cut,
        }
    }
}

/// The builder's key, as [`key_file`] has it.
fn builder_key() -> LocalSigner {
    LocalSigner::from_hex(&SecretText::new("46".repeat(32))).unwrap()
}

fn proposer() -> LocalSigner {
    let key = hex::encode(dev_accounts()[5].signer.to_bytes());
    LocalSigner::from_hex(&SecretText::new(key)).unwrap()
}

/// The builder's process and its Engine API.
struct Builder {
    node: Blockwright,
    engine: Engine,
    rpc: Rpc,
}

/// The proposer: its own node, a client, and a builder while it lives.
struct Proposer {
    folder: tempfile::TempDir,
    own: Blockwright,
    engine: Engine,
    rpc: Rpc,
    builder: Option<Builder>,
    /// The builder after it was killed, on its way.
    reviving: Option<JoinHandle<Builder>>,
    liar: Liar,
    client: BuilderClient,
    /// Every block, with its beacon root.
    chain: Vec<(ExecutionPayload, B256)>,
    head: B256,
    nonces: BTreeMap<usize, u64>,
    /// How long after its time the latest block was the head, in milliseconds.
    latest_ms: u64,
}

fn start_builder(folder: &std::path::Path) -> Builder {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let node = Blockwright::start(&[
        "node",
        "--chain",
        &path("dev/genesis.json"),
        "--datadir",
        &path("builder"),
        "--builder-api.secp-key",
        key_file(folder).to_str().unwrap(),
        "--builder-api.proposer",
        &proposer().address().to_string(),
    ]);
    let (engine, rpc) = (Engine::new(&node), Rpc::new(&node.endpoints.http));
    Builder { node, engine, rpc }
}

impl Proposer {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let dev = Blockwright::start(&["dev", "--datadir", &path("dev")]);
        assert!(dev.stop());
        let genesis = path("dev/genesis.json");
        let own = Blockwright::start(&["node", "--chain", &genesis, "--datadir", &path("own")]);
        let builder = start_builder(folder.path());
        let liar = Liar::start(&builder.node.endpoints.builder_api).await;
        let address = builder_key().address();
        let client = BuilderClient::new(ClientConfig {
            url: liar.url.replace("http://", &format!("http://{address}@")),
            chain_id: CHAIN_ID,
            key: Some(Arc::new(proposer())),
            timeout: TIMEOUT,
            ..ClientConfig::default()
        })
        .unwrap();
        let rpc = Rpc::new(&own.endpoints.http);
        let params = json!(["latest", false]);
        let head = rpc.call("eth_getBlockByNumber", params).await;
        let engine = Engine::new(&own);
        Self {
            engine,
            rpc,
            own,
            builder: Some(builder),
            reviving: None,
            liar,
            client,
            chain: Vec::new(),
            head: field(&head, "hash"),
            nonces: BTreeMap::new(),
            latest_ms: 0,
            folder,
        }
    }

    /// Sends a transfer from one of the accounts to some of the nodes.
    async fn send(&mut self, from: usize) {
        let nonce = self.nonces.entry(from).or_default();
        let (raw, _) = transfer(from, *nonce);
        *nonce += 1;
        let to_own = (from != SEARCHER).then_some(&self.rpc);
        let to_builder = self.builder.as_ref().filter(|_| from != FRIEND);
        for rpc in to_own
            .into_iter()
            .chain(to_builder.map(|builder| &builder.rpc))
        {
            rpc.call("eth_sendRawTransaction", json!([raw])).await;
        }
    }

    /// A builder that was killed starts anew, beside the chain, and is told its blocks.
    fn revive(&mut self) {
        let (folder, chain) = (self.folder.path().to_owned(), self.chain.clone());
        let started = tokio::task::spawn_blocking(move || start_builder(&folder));
        self.reviving = Some(tokio::spawn(async move {
            let builder = started.await.unwrap();
            for (payload, root) in &chain {
                assert!(builder.engine.finds_valid(payload, *root).await);
            }
            builder
        }));
    }

    /// Whether there is a builder: one that is ready again is told what it missed meanwhile.
    async fn has_builder(&mut self) -> bool {
        if self.reviving.as_ref().is_some_and(JoinHandle::is_finished) {
            let builder = self.reviving.take().unwrap().await.unwrap();
            for (payload, root) in &self.chain {
                assert!(builder.engine.finds_valid(payload, *root).await);
            }
            builder.engine.choose(self.head).await;
            self.liar.stand_before(&builder.node.endpoints.builder_api);
            self.builder = Some(builder);
            // What only the builder knew died with it.
            let params = json!([dev_accounts()[SEARCHER].address, "latest"]);
            let sent = self.rpc.number("eth_getTransactionCount", params).await;
            self.nonces.insert(SEARCHER, sent);
        }
        self.builder.is_some()
    }

    /// One block; why it is not the builder's.
    async fn block(&mut self, trouble: Trouble) -> Option<String> {
        let number = self.chain.len() as u64 + 1;
        self.send(EVERYBODY).await;
        if trouble == Trouble::Emptier {
            self.send(FRIEND).await;
            self.send(FRIEND).await;
        } else if self.builder.is_some() {
            self.send(SEARCHER).await;
        }
        // One block a second, whatever happens: no timestamp is left out. The clock begins with the second block, for
        // a node's first one may cost it what it does only once.
        let timestamp = match &self.chain[..] {
            [_, .., (before, _)] => before.timestamp + 1,
            _ => now_ms() / 1_000 + AHEAD_S,
        };
        let attributes = attributes(number, timestamp);
        let beacon_root = field(&attributes, "parentBeaconBlockRoot");
        let id = self.engine.begin(self.head, &attributes).await;
        if let Some(builder) = &self.builder {
            builder.engine.begin(self.head, &attributes).await;
        }
        self.liar.tell(trouble.fault(beacon_root));
        if trouble == Trouble::Killed {
            self.builder.take().unwrap().node.kill();
        }
        let left_ms = (timestamp * 1_000 - LEAD_MS).saturating_sub(now_ms());
        tokio::time::sleep(Duration::from_millis(left_ms)).await;
        let wanted = Wanted {
            slot: number,
            parent_hash: self.head,
            fork: FORK,
            parent_beacon_block_root: Some(beacon_root),
        };
        let (offer, local) = tokio::join!(self.client.offer(&wanted), self.engine.payload(&id));
        let (payload, reason) = self
            .chosen(choose(local.clone(), offer), local, beacon_root)
            .await;
        self.adopt(payload, beacon_root).await;
        let late_ms = now_ms().saturating_sub(timestamp * 1_000);
        if number > 1 {
            self.latest_ms = self.latest_ms.max(late_ms);
        }
        reason
    }

    /// The block to propose, which the proposer's own node found valid, and why it is its own.
    async fn chosen(
        &self,
        choice: Choice,
        local: ExecutionPayload,
        beacon_root: B256,
    ) -> (ExecutionPayload, Option<String>) {
        let reason = match choice {
            Choice::Builder(offer) => {
                if self.engine.finds_valid(&offer.payload, beacon_root).await {
                    return (offer.payload.clone(), self.shortfall(&offer).await);
                }
                "invalid".to_owned()
            }
            Choice::Local { reason, .. } => reason.name().into_owned(),
        };
        assert!(self.engine.finds_valid(&local, beacon_root).await);
        (local, Some(reason))
    }

    /// What was promised and is not paid, which does not make a block worse.
    async fn shortfall(&self, offer: &Offer) -> Option<String> {
        let payload = &offer.payload;
        self.engine.choose(payload.block_hash).await;
        let params = json!([payload.block_hash]);
        let receipts = self.rpc.call("eth_getBlockReceipts", params).await;
        let receipts = receipts.as_array().unwrap().iter();
        let gas: Vec<u64> = receipts
            .map(|receipt| quantity(&receipt["cumulativeGasUsed"]))
            .collect();
        let base_fee = payload.base_fee_per_gas.to();
        let paid = tips(&payload.transactions, base_fee, &gas).unwrap();
        assert!(paid > U256::ZERO);
        let lie = offer.check_value(paid).err()?;
        Some(lie.name().into_owned())
    }

    /// Makes a block the head of both nodes.
    async fn adopt(&mut self, payload: ExecutionPayload, beacon_root: B256) {
        let hash = payload.block_hash;
        self.engine.choose(hash).await;
        if let Some(builder) = &self.builder {
            assert!(builder.engine.finds_valid(&payload, beacon_root).await);
            builder.engine.choose(hash).await;
        }
        self.head = hash;
        self.chain.push((payload, beacon_root));
    }
}

fn blocks() -> usize {
    let text = std::env::var("PROPOSER_BLOCKS");
    text.map_or(troubles().len() + 1, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_builder_does_no_block_is_missed() {
    let mut proposer = Proposer::start().await;
    let blocks = blocks();
    let mut of_the_builder = 0;
    let mut troubles = troubles().into_iter().cycle();
    for number in 1..=blocks {
        let has_builder = proposer.has_builder().await;
        // It takes as long as it takes to come back.
        let trouble = match proposer.reviving {
            Some(_) => Trouble::Dead,
            None => troubles.next().unwrap(),
        };
        assert!(has_builder || trouble == Trouble::Dead);
        // Shown where the test fails.
        println!("block {number}: {trouble:?}");
        let reason = proposer.block(trouble).await;
        if trouble == Trouble::Dead && proposer.reviving.is_none() {
            proposer.revive();
        }
        let expected = match trouble {
            // It is proposed all the same: it is valid, and as full as the own one.
            Trouble::Overbid => Some("bid.value".to_owned()),
            other => other.reason(),
        };
        assert_eq!(reason, expected, "block {number}, {trouble:?}");
        of_the_builder += usize::from(trouble.reason().is_none());
        let (payload, _) = proposer.chain.last().unwrap();
        assert_eq!(payload.block_number, number as u64);
        let head = proposer.rpc.number("eth_blockNumber", json!([])).await;
        assert_eq!(head, number as u64);
    }
    println!(
        "the latest block was the head {} ms after its time",
        proposer.latest_ms
    );
    assert!(proposer.latest_ms < 1_000, "before the next one's time");
    assert_eq!(proposer.chain.len(), blocks);
    let span = proposer.chain[blocks - 1].0.timestamp - proposer.chain[1].0.timestamp;
    assert_eq!(span, blocks as u64 - 2, "a block for every second");
    assert!(of_the_builder > 0);
    // What only the builder was sent is on the chain.
    let searcher = dev_accounts()[SEARCHER].address;
    let params = json!([searcher, "latest"]);
    let sent = proposer.rpc.number("eth_getTransactionCount", params).await;
    assert!(sent > 0);
    if let Some(reviving) = proposer.reviving {
        proposer.builder = Some(reviving.await.unwrap());
    }
    if let Some(builder) = proposer.builder {
        assert!(builder.node.stop());
    }
    assert!(proposer.own.stop());
}
