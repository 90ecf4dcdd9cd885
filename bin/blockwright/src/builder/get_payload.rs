//! `blockwright builder get-payload`: what a builder offers, and whether it is to be believed.

mod verdict;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use blockwright_builder_client::{BuilderClient, ClientConfig, ClientError, Lie, Wanted};
use blockwright_flags::{duration, secret};
use blockwright_launch::{KeyFlags, KeySource, OpFork, SecretText};
use blockwright_signer::Signer;
use clap::Args;
use eyre::{ensure, eyre};

use super::proposer_node::ProposerNode;
use crate::run;

const KEY: KeyFlags = KeyFlags {
    file: "--key",
    password_file: "--password-file",
    hex: "--key-hex",
};

#[derive(Debug, Args)]
pub(crate) struct GetPayloadArgs {
    /// The builder, `http[s]://[ADDRESS@]host:port`; with an address only its signature counts.
    #[arg(value_name = "URL")]
    url: String,
    /// JSON-RPC of the proposer's own node, which tells what is not given of parent, slot, chain id and
    /// beacon root.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_RPC", value_name = "URL")]
    rpc: Option<String>,
    /// Hash of the block to build on (default with --rpc: the latest).
    #[arg(
        long,
        env = "BLOCKWRIGHT_BUILDER_PARENT",
        value_name = "HASH",
        required_unless_present = "rpc"
    )]
    parent: Option<B256>,
    /// Number of the block wanted (default with --rpc: the parent's plus one).
    #[arg(
        long,
        env = "BLOCKWRIGHT_BUILDER_SLOT",
        value_name = "NUMBER",
        required_unless_present = "rpc"
    )]
    slot: Option<u64>,
    /// Chain id (default with --rpc: the node's).
    #[arg(
        long,
        env = "BLOCKWRIGHT_BUILDER_CHAIN_ID",
        value_name = "ID",
        required_unless_present = "rpc"
    )]
    chain_id: Option<u64>,
    /// Fork of the block wanted: bedrock ... jovian, karst.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_FORK", value_name = "FORK")]
    fork: OpFork,
    /// Beacon root of the block wanted, from Ecotone on (default with --rpc: that of the block that the
    /// node builds on the parent, else the parent's).
    #[arg(
        long,
        env = "BLOCKWRIGHT_BUILDER_PARENT_BEACON_BLOCK_ROOT",
        value_name = "HASH"
    )]
    parent_beacon_block_root: Option<B256>,
    /// The builder whose signature counts (default: the URL's, else the one that the bid names).
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_BUILDER", value_name = "ADDRESS")]
    builder: Option<Address>,
    /// File with the proposer's key, mode 0600 or less: a keystore, or 32 bytes in hex (default: none,
    /// for builders that answer everybody).
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// File with the keystore's password, mode 0600 or less (default: asks at the terminal).
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The key itself, for development alone: prefer the file.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_KEY_HEX", hide_env_values = true, value_name = "HEX",
          value_parser = secret, conflicts_with = "key")]
    key_hex: Option<SecretText>,
    /// Time for everything, from connecting to the answer's last byte.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_TIMEOUT", default_value = "500ms", value_name = "TIME",
          value_parser = duration::milliseconds)]
    timeout: Duration,
    /// PEM file of certificate authorities that are believed beside the system's.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print JSON: the verdict, the bid and the block.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_JSON")]
    json: bool,
}

pub(crate) fn run(args: GetPayloadArgs) -> eyre::Result<()> {
    crate::logging::init_warnings()?;
    run::block_on_workers(1, get_payload(args))
}

async fn get_payload(args: GetPayloadArgs) -> eyre::Result<()> {
    let node = args.rpc.as_deref().map(ProposerNode::new).transpose()?;
    let chain_id = match (args.chain_id, &node) {
        (Some(id), _) => id,
        (None, Some(node)) => node.chain_id().await?,
        (None, None) => return Err(eyre!("--chain-id is missing")),
    };
    let wanted = wanted(&args, node.as_ref()).await?;
    let client = BuilderClient::new(ClientConfig {
        url: args.url.clone(),
        builder: args.builder,
        chain_id,
        key: args.signer()?,
        timeout: args.timeout,
        ca: args.ca.clone(),
    })?;
    let offer = client.offer(&wanted).await;
    let expected = client.builder();
    match (offer, args.json) {
        (Ok(offer), true) => verdict::print_json(&offer, &wanted),
        (Ok(offer), false) => verdict::print(&offer, expected, &wanted),
        (Err(error), as_json) => {
            let hint = args.hint(&error);
            if as_json {
                verdict::print_failure(&error, hint)?;
            }
            let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            Err(eyre!("{}: {error}{hint}", error.name()))
        }
    }
}

async fn wanted(args: &GetPayloadArgs, node: Option<&ProposerNode>) -> eyre::Result<Wanted> {
    let has_root = args.fork >= OpFork::Ecotone;
    let given_root = args.parent_beacon_block_root;
    ensure!(
        has_root || given_root.is_none(),
        "--parent-beacon-block-root: blocks of {} have none",
        args.fork
    );
    let is_complete = args.slot.is_some() && args.parent.is_some();
    let parent = match node {
        Some(node) if !is_complete || (has_root && given_root.is_none()) => {
            Some(node.parent(args.parent).await?)
        }
        _ => None,
    };
    let parent_beacon_block_root = match (given_root, node, &parent) {
        (None, Some(node), Some(parent)) if has_root => node.next_beacon_root(parent).await,
        _ => given_root,
    };
    ensure!(
        !has_root || parent_beacon_block_root.is_some(),
        "--parent-beacon-block-root is missing: blocks of {} have one",
        args.fork
    );
    let number = parent
        .as_ref()
        .map(|parent| parent.number.saturating_add(1));
    let hash = parent.as_ref().map(|parent| parent.hash);
    Ok(Wanted {
        slot: args
            .slot
            .or(number)
            .ok_or_else(|| eyre!("--slot is missing"))?,
        parent_hash: args
            .parent
            .or(hash)
            .ok_or_else(|| eyre!("--parent is missing"))?,
        fork: args.fork,
        parent_beacon_block_root,
    })
}

impl GetPayloadArgs {
    /// What else than a lie it may be.
    fn hint(&self, error: &ClientError) -> Option<&'static str> {
        let is_root_guessed = self.parent_beacon_block_root.is_none()
            && self.fork >= OpFork::Ecotone
            && self.rpc.is_some();
        let may_be_the_root =
            is_root_guessed && matches!(error, ClientError::Lie(Lie::Hash { .. }));
        may_be_the_root.then_some(
            "the beacon root is from the node's pending block or the parent: where that block is not the \
             builder's, --parent-beacon-block-root gives the right one",
        )
    }

    fn signer(&self) -> eyre::Result<Option<Arc<dyn Signer>>> {
        let source = KeySource {
            file: self.key.clone(),
            password_file: self.password_file.clone(),
            hex: self.key_hex.clone(),
        };
        let signer = source.signer(KEY)?;
        Ok(signer.map(|signer| Arc::new(signer) as Arc<dyn Signer>))
    }
}
