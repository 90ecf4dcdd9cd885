//! Proposers ask a builder that lies, hangs and dies: every fault is named, and no block is missed.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256, hex};
use blockwright_builder_client::{
    Against, BuilderClient, ClientConfig, ClientError, Lie, Offer, Wanted, tips,
};
use blockwright_launch::dev_accounts;
use blockwright_payload::ExecutionPayload;
use blockwright_signer::{
    BlsLocalSigner, BlsSigner as _, LocalSigner, SecretText, Signature, Signer,
};
use serde_json::{Value, json};
use support::host::Host;
use support::liar::{Fault, Liar};
use support::lies::{PAYLOAD_FIELDS, change_payload, field, made_to_fit, other, sign};
use support::process::{Blockwright, binary, refused_start};
use support::rpc::{Rpc, quantity};
use support::sequencer::FORK;
use support::stream::Subscriber;
use support::tx::transfer;

const CHAIN_ID: u64 = 901;
const PATIENCE: Duration = Duration::from_secs(30);
/// The client's own bound on answers, in bytes.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// The key of development account `index`.
fn key(index: usize) -> LocalSigner {
    let key = hex::encode(dev_accounts()[index].signer.to_bytes());
    LocalSigner::from_hex(&SecretText::new(key)).unwrap()
}

fn builder() -> LocalSigner {
    key(9)
}

fn proposer() -> LocalSigner {
    key(5)
}

fn client(url: &str, timeout: Duration) -> BuilderClient {
    BuilderClient::new(ClientConfig {
        url: url.to_owned(),
        builder: Some(builder().address()),
        chain_id: CHAIN_ID,
        key: Some(Arc::new(proposer())),
        timeout,
        ca: None,
    })
    .unwrap()
}

fn start_dev(more: &[&str]) -> Blockwright {
    let proposer = proposer().address().to_string();
    let args = [
        "dev",
        "--block-time",
        "4s",
        "--builder-api.proposer",
        &proposer,
    ];
    Blockwright::start(&[&args, more].concat())
}

/// A block of the development chain that has begun and has a transaction from the pool.
async fn begun_block(node: &Blockwright) -> Wanted {
    let mut stream = Subscriber::connect(&node.endpoints.flashblocks).await;
    let (raw, hash) = transfer(1, 0);
    let rpc = Rpc::new(&node.endpoints.http);
    rpc.call("eth_sendRawTransaction", json!([raw])).await;
    let mut base = Value::Null;
    loop {
        let flashblock = stream.next().await;
        if flashblock["index"] == 0 {
            base = flashblock["base"].clone();
        }
        let has_it = !flashblock["metadata"]["receipts"][hash.to_string()].is_null();
        if has_it && !base.is_null() {
            return Wanted {
                slot: quantity(&base["block_number"]),
                parent_hash: field(&base, "parent_hash"),
                fork: FORK,
                parent_beacon_block_root: Some(field(&base, "parent_beacon_block_root")),
            };
        }
    }
}

fn lie(outcome: Result<Offer, ClientError>) -> Lie {
    match outcome {
        Err(ClientError::Lie(lie)) => lie,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_a_bid_is_named() {
    let node = start_dev(&[]);
    let liar = Liar::start(&node.endpoints.builder_api).await;
    let client = client(&liar.url, PATIENCE);
    let wanted = begun_block(&node).await;
    let honest = client.offer(&wanted).await.unwrap();
    assert_eq!(honest.builder, builder().address());
    assert_eq!(honest.bid.proposer_address, proposer().address());
    assert_eq!(honest.header.hash_slow(), honest.payload.block_hash);

    let (request, payload) = (Against::Request, Against::Payload);
    let fields = [
        ("slot", Some(request)),
        ("parentHash", Some(request)),
        ("blockHash", Some(payload)),
        ("builderAddress", Some(request)),
        ("proposerAddress", Some(request)),
        ("proposerFeeRecipient", Some(payload)),
        ("gasLimit", Some(payload)),
        ("gasUsed", Some(payload)),
        ("value", None),
    ];
    let bid = serde_json::to_value(&honest.bid).unwrap();
    assert_eq!(fields.len(), bid.as_object().unwrap().len());
    for (name, disagrees_with) in fields {
        let change = move |answer: &mut Value| {
            answer["message"][name] = other(&answer["message"][name]);
        };
        liar.change(change);
        let unsigned = lie(client.offer(&wanted).await);
        assert!(
            matches!(unsigned, Lie::Signer { builder: named, .. } if named == builder().address()),
            "{name}: {unsigned:?}"
        );
        liar.change(move |answer| {
            change(answer);
            sign(answer, &builder());
        });
        match (client.offer(&wanted).await, disagrees_with) {
            (Err(ClientError::Lie(found)), Some(disagrees_with)) => {
                assert!(
                    matches!(found, Lie::Bid { field, against, .. }
                        if field == name && against == disagrees_with),
                    "{name}: {found:?}"
                );
                assert_eq!(found.name(), format!("bid.{name}"));
            }
            // What a block pays is known once it was executed.
            (Ok(offer), None) => {
                let found = offer.check_value(honest.bid.value).unwrap_err();
                assert_eq!(found.name(), "bid.value");
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
        liar.change(move |answer| {
            answer["message"].as_object_mut().unwrap().remove(name);
        });
        let missing = lie(client.offer(&wanted).await);
        assert!(
            matches!(&missing, Lie::Malformed(said) if said.contains(name)),
            "{missing:?}"
        );
    }
    liar.tell(Fault::Honest);
    assert_eq!(client.offer(&wanted).await.unwrap().bid, honest.bid);
    value_is_what_the_block_pays(&node, &honest).await;
    assert!(node.stop());
}

/// Once the block is sealed.
async fn value_is_what_the_block_pays(node: &Blockwright, offer: &Offer) {
    let rpc = Rpc::new(&node.endpoints.http);
    for tx in &offer.payload.transactions {
        let hash = alloy_primitives::keccak256(tx).to_string();
        rpc.receipt(&hash, PATIENCE).await;
    }
    let paid = paid(&rpc, &offer.payload).await;
    assert!(paid > U256::ZERO);
    offer.check_value(paid).unwrap();
}

/// What a block that `rpc` has paid by its receipts.
async fn paid(rpc: &Rpc, payload: &ExecutionPayload) -> U256 {
    let params = json!([payload.block_hash]);
    let receipts = rpc.call("eth_getBlockReceipts", params).await;
    let gas: Vec<u64> = receipts
        .as_array()
        .unwrap_or_else(|| panic!("{receipts}"))
        .iter()
        .map(|receipt| quantity(&receipt["cumulativeGasUsed"]))
        .collect();
    let base_fee = payload.base_fee_per_gas.to();
    tips(&payload.transactions, base_fee, &gas).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_a_payload_is_named() {
    let node = start_dev(&[]);
    let liar = Liar::start(&node.endpoints.builder_api).await;
    let client = client(&liar.url, PATIENCE);
    let wanted = begun_block(&node).await;
    let honest = client.offer(&wanted).await.unwrap();

    let payload = serde_json::to_value(&honest.payload).unwrap();
    assert_eq!(PAYLOAD_FIELDS.len(), payload.as_object().unwrap().len());
    for (name, expected) in PAYLOAD_FIELDS {
        liar.change(move |answer| change_payload(answer, name));
        let found = lie(client.offer(&wanted).await);
        assert_eq!(found.name(), expected, "{name}: {found}");
        liar.change(move |answer| {
            let payload = answer["executionPayload"].as_object_mut().unwrap();
            payload.remove(name).unwrap();
        });
        let missing = lie(client.offer(&wanted).await);
        let of_the_fork = [
            "withdrawals",
            "blobGasUsed",
            "excessBlobGas",
            "withdrawalsRoot",
        ];
        if of_the_fork.contains(&name) {
            assert_eq!(missing.name(), format!("payload.{name}"));
        } else {
            assert!(
                matches!(&missing, Lie::Malformed(said) if said.contains(name)),
                "{missing:?}"
            );
        }
    }
    let another_root = Wanted {
        parent_beacon_block_root: Some(B256::ZERO),
        ..wanted.clone()
    };
    liar.tell(Fault::Honest);
    assert_eq!(
        lie(client.offer(&another_root).await).name(),
        "payload.hash"
    );
    assert_eq!(client.offer(&wanted).await.unwrap().payload, honest.payload);

    // A payload that is true to itself contradicts what the proposer's own block has.
    let beacon_root = wanted.parent_beacon_block_root.unwrap();
    for name in [
        "timestamp",
        "prevRandao",
        "feeRecipient",
        "gasLimit",
        "baseFeePerGas",
        "extraData",
    ] {
        liar.change(move |answer| {
            let value = &mut answer["executionPayload"][name];
            *value = other(value);
            made_to_fit(answer, beacon_root, &builder());
        });
        let offer = client.offer(&wanted).await.unwrap();
        let found = offer.check_against(&honest.payload).unwrap_err();
        assert_eq!(found.name(), format!("payload.{name}"));
    }
    liar.change(move |answer| {
        answer["executionPayload"]["transactions"]
            .as_array_mut()
            .unwrap()
            .remove(0);
        made_to_fit(answer, beacon_root, &builder());
    });
    let offer = client.offer(&wanted).await.unwrap();
    let found = offer.check_against(&honest.payload).unwrap_err();
    assert_eq!(found, Lie::Forced { index: 0 });
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_signatures_and_broken_answers_are_named() {
    let node = start_dev(&[]);
    let liar = Liar::start(&node.endpoints.builder_api).await;
    let patient = client(&liar.url, PATIENCE);
    let wanted = begun_block(&node).await;
    patient.offer(&wanted).await.unwrap();

    liar.change(|answer| answer["signature"] = json!(Signature::ZERO));
    assert_eq!(lie(patient.offer(&wanted).await), Lie::Signature);
    let (signer, builder) = (key(8).address(), builder().address());
    liar.change(|answer| sign(answer, &key(8)));
    let of_another = Lie::Signer { signer, builder };
    assert_eq!(lie(patient.offer(&wanted).await), of_another);
    let in_its_own_name = move |answer: &mut Value| {
        answer["message"]["builderAddress"] = json!(signer);
        sign(answer, &key(8));
    };
    liar.change(in_its_own_name);
    assert_eq!(lie(patient.offer(&wanted).await), of_another);
    // Who trusts whoever signs is told who that is.
    let trusting = BuilderClient::new(ClientConfig {
        url: liar.url.clone(),
        chain_id: CHAIN_ID,
        key: Some(Arc::new(proposer())),
        timeout: PATIENCE,
        ..ClientConfig::default()
    })
    .unwrap();
    assert_eq!(trusting.offer(&wanted).await.unwrap().builder, signer);
    liar.change(|answer| answer["version"] = json!("shanghai"));
    let found = lie(patient.offer(&wanted).await);
    assert_eq!(found, Lie::Version("shanghai".to_owned()));

    for (fault, expected) in [
        (Fault::Instead(500, "oh\u{1b}[31m no"), "refused"),
        (
            Fault::Instead(404, r#"{"code":404,"message":"nothing"}"#),
            "refused",
        ),
        (Fault::Instead(200, "{\"version\":"), "malformed"),
        (Fault::Instead(200, "null"), "malformed"),
        (Fault::Instead(200, ""), "malformed"),
        (Fault::Cut, "unreachable"),
        (Fault::Close, "unreachable"),
        (Fault::Announce(ANSWER_BYTES_MAX as u64 + 1), "too_long"),
        (Fault::Flood(ANSWER_BYTES_MAX), "too_long"),
    ] {
        liar.tell(fault);
        let error = patient.offer(&wanted).await.unwrap_err();
        assert_eq!(error.name(), expected, "{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    }
    let hasty = client(&liar.url, Duration::from_millis(300));
    for fault in [Fault::Hang, Fault::Late(PATIENCE), Fault::Announce(1)] {
        liar.tell(fault);
        let error = hasty.offer(&wanted).await.unwrap_err();
        assert!(matches!(error, ClientError::TooLate(300)), "{error}");
    }
    liar.tell(Fault::Honest);
    patient.offer(&wanted).await.unwrap();
    assert!(node.stop());
    let error = patient.offer(&wanted).await.unwrap_err();
    assert_eq!(error.name(), "unreachable", "{error}");
}

fn get_payload(url: &str, more: &[&str]) -> Output {
    let key = hex::encode(dev_accounts()[5].signer.to_bytes());
    binary()
        .args(["builder", "get-payload", url, "--fork", FORK.name()])
        .args(["--timeout", "30s"])
        .args(more)
        .env("BLOCKWRIGHT_BUILDER_KEY_HEX", key)
        .output()
        .unwrap()
}

/// A node's pending block, where it is ours, tells what block the builder is at.
fn unless_pending_is_ours(wanted: &Wanted) -> Vec<String> {
    let root = wanted.parent_beacon_block_root.unwrap().to_string();
    let given = vec!["--parent-beacon-block-root".to_owned(), root];
    match Host::under_test().has_own_rpc() {
        true => given,
        false => Vec::new(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_had_and_judged_by_hand() {
    let node = start_dev(&[]);
    let liar = Liar::start(&node.endpoints.builder_api).await;
    let named = liar
        .url
        .replace("http://", &format!("http://{}@", builder().address()));
    let wanted = begun_block(&node).await;
    // What the node is asked for is the block that is being built.
    let root = unless_pending_is_ours(&wanted);
    let mut of_node = vec!["--rpc", &node.endpoints.http];
    of_node.extend(root.iter().map(String::as_str));
    let json = get_payload(&named, &[&of_node[..], &["--json"]].concat());
    let (out, error) = (text(&json.stdout), text(&json.stderr));
    assert!(json.status.success(), "{error}");
    assert!(error.contains("--key-hex"), "{error}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["verdict"], "true");
    assert_eq!(report["version"], "bedrock");
    assert!(report["note"].is_null(), "{out}");
    assert_eq!(report["message"]["parentHash"], json!(wanted.parent_hash));
    let hash = &report["message"]["blockHash"];
    assert_eq!(report["executionPayload"]["blockHash"], *hash);

    // The same without a node's help.
    let (parent, slot) = (wanted.parent_hash.to_string(), wanted.slot.to_string());
    let root = wanted.parent_beacon_block_root.unwrap().to_string();
    let chain_id = CHAIN_ID.to_string();
    let all = [
        "--parent",
        &parent,
        "--slot",
        &slot,
        "--chain-id",
        &chain_id,
        "--parent-beacon-block-root",
        &root,
    ];
    let plain = get_payload(&named, &all);
    let out = text(&plain.stdout);
    assert!(plain.status.success(), "{}", text(&plain.stderr));
    for expected in [
        format!("block_hash: {}", hash.as_str().unwrap()),
        format!("builder_address: {} (as expected)", builder().address()),
        "verdict: true as a block of karst".to_owned(),
        "version: bedrock\n".to_owned(),
    ] {
        assert!(out.contains(&expected), "{expected}: {out}");
    }

    liar.change(|answer| answer["version"] = json!("canyon"));
    let odd = get_payload(&named, &all);
    assert!(odd.status.success(), "{}", text(&odd.stderr));
    let out = text(&odd.stdout);
    assert!(
        out.contains("version: canyon\n") && out.contains("note: version canyon"),
        "{out}"
    );

    liar.change(|answer| answer["executionPayload"]["stateRoot"] = json!(B256::ZERO));
    for (args, is_guessed) in [
        (
            &[&all[..4], &["--rpc", &node.endpoints.http]].concat()[..],
            true,
        ),
        (&all, false),
    ] {
        let lied = text(&get_payload(&named, args).stderr);
        assert!(lied.contains("error: payload.hash: "), "{lied}");
        let is_hinted = lied.contains("--parent-beacon-block-root");
        assert_eq!(is_hinted, is_guessed, "{lied}");
    }

    liar.change(|answer| {
        answer["message"]["gasUsed"] = json!("0x1");
        sign(answer, &builder());
    });
    let lied = get_payload(&named, &[&all[..], &["--json"]].concat());
    assert!(!lied.status.success());
    let said = text(&lied.stderr);
    assert!(said.contains("error: bid.gasUsed: "), "{said}");
    let report: Value = serde_json::from_str(&text(&lied.stdout)).unwrap();
    assert_eq!(report["verdict"], "lie");
    assert_eq!(report["name"], "bid.gasUsed");
    liar.tell(Fault::Honest);
    let stranger = Address::repeat_byte(1).to_string();
    let other = get_payload(&liar.url, &[&all[..], &["--builder", &stranger]].concat());
    assert!(!other.status.success());
    assert!(text(&other.stderr).contains("error: signer: "));

    for (args, expected) in [
        (&all[2..], "--parent"),
        (&all[..6], "--parent-beacon-block-root is missing"),
        (&[][..], "--chain-id"),
    ] {
        let refused = get_payload(&named, args);
        let said = text(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains(expected),
            "{args:?}: {said}"
        );
    }
    assert!(node.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_builder_with_tls_is_believed_by_its_authority_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, secret) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&secret, made.signing_key.serialize_pem()).unwrap();
    let (cert, secret) = (cert.to_str().unwrap(), secret.to_str().unwrap());
    let tls = [
        "--builder-api.tls-cert",
        cert,
        "--builder-api.tls-key",
        secret,
    ];
    std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o640)).unwrap();
    let said = refused_start(&[&["dev"], &tls[..]].concat());
    assert!(
        said.contains("--builder-api.tls-key") && said.contains("mode 0640"),
        "{said}"
    );
    std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let node = start_dev(&tls);
    let url = &node.endpoints.builder_api;
    assert!(url.starts_with("https://"), "{url}");
    let wanted = begun_block(&node).await;
    let root = unless_pending_is_ours(&wanted);
    let mut rpc = vec!["--rpc", &node.endpoints.http];
    rpc.extend(root.iter().map(String::as_str));
    let unknown = get_payload(url, &rpc);
    let said = text(&unknown.stderr);
    assert!(
        said.contains("error: unreachable: ") && said.contains("certificate"),
        "{said}"
    );
    let known = get_payload(url, &[&rpc[..], &["--ca", cert]].concat());
    assert!(known.status.success(), "{}", text(&known.stderr));
    assert!(text(&known.stdout).contains("(nobody in particular was expected)"));
    assert!(node.stop());
}

fn bls_key_file(folder: &Path, byte: u8) -> PathBuf {
    let path = folder.join(format!("{byte}.key"));
    std::fs::write(&path, hex::encode([byte; 32])).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposer_registers_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (
        bls_key_file(folder.path(), 2),
        bls_key_file(folder.path(), 3),
    );
    let proposer = {
        let key = SecretText::new(hex::encode([2; 32]));
        BlsLocalSigner::from_hex(&key)
            .unwrap()
            .public_key()
            .to_string()
    };
    let node = start_dev(&["--builder-api.proposer-bls", &proposer]);
    let recipient = Address::repeat_byte(0x51).to_string();
    let register_with = |node: &Blockwright, key: &Path, more: &[&str]| {
        binary()
            .args(["builder", "register", "--rpc", &node.endpoints.http])
            .args([
                "--fee-recipient",
                &recipient,
                "--bls-key",
                key.to_str().unwrap(),
            ])
            .args(more)
            .output()
            .unwrap()
    };
    let register = |key: &Path, more: &[&str]| register_with(&node, key, more);
    for refused in [
        register(&other, &[]),
        register(&other, &["--name-key"]),
        register(&own, &["--fork-version", "0x00000001"]),
    ] {
        assert!(!refused.status.success());
        let said = text(&refused.stderr);
        assert!(said.contains("-32005, Signature invalid"), "{said}");
    }
    let rpc = Rpc::new(&node.endpoints.http);
    let expected = async || rpc.call("builder_status", json!([])).await["expectedProposer"].clone();
    assert!(expected().await.is_null());
    for more in [&[][..], &["--name-key"]] {
        let done = register(&own, more);
        let said = text(&done.stderr);
        assert!(done.status.success(), "{said}");
        assert!(
            said.contains("not encrypted") && said.contains("--bls-key"),
            "{said}"
        );
        assert!(text(&done.stdout).contains(&proposer));
    }
    let expected = expected().await;
    assert_eq!(expected["publicKey"], json!(proposer));
    assert_eq!(expected["feeRecipient"], json!(Address::repeat_byte(0x51)));
    assert!(node.stop());

    // Who lists nobody has to be told the key; who lists others alone takes none.
    let open = Blockwright::start(&["dev"]);
    let unnamed = register_with(&open, &own, &[]);
    let said = text(&unnamed.stderr);
    assert!(
        !unnamed.status.success() && said.contains("--name-key"),
        "{said}"
    );
    assert!(register_with(&open, &own, &["--name-key"]).status.success());
    assert!(open.stop());
    let closed = start_dev(&[]);
    let unlisted = register_with(&closed, &own, &["--name-key"]);
    let said = text(&unlisted.stderr);
    assert!(
        !unlisted.status.success() && said.contains("--builder-api.proposer-bls"),
        "{said}"
    );
    assert!(closed.stop());
}
