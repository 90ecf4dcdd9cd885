//! `blockwright builder register`: a proposer tells a builder where its fees are to go.

use std::path::PathBuf;

use alloy_primitives::{Address, B256, FixedBytes};
use blockwright_builder_codec::{
    ChainDomain, DOMAIN_APPLICATION_BUILDER, compute_signing_root, fee_recipient_root,
};
use blockwright_builder_rpc::Method;
use blockwright_launch::{KeyFlags, KeySource};
use blockwright_signer::BlsSigner as _;
use clap::Args;
use eyre::{WrapErr, eyre};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::HttpClientBuilder;
use serde_json::Value;

use crate::run;

const KEY: KeyFlags = KeyFlags {
    file: "--bls-key",
    password_file: "--password-file",
    // There is no such flag.
    hex: "--bls-key",
};

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// JSON-RPC of the builder with the `builder_` namespace, `http://127.0.0.1:8545` for instance.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_RPC", value_name = "URL")]
    rpc: String,
    /// Address that is to receive the fees of the proposer's blocks.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BUILDER_FEE_RECIPIENT",
        value_name = "ADDRESS"
    )]
    fee_recipient: Address,
    /// File with the proposer's BLS key, mode 0600 or less: a keystore, or 32 bytes in hex.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_BLS_KEY", value_name = "FILE")]
    bls_key: PathBuf,
    /// File with the keystore's password, mode 0600 or less (default: asks at the terminal).
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Name the public key in the call, which builders need that list no proposers.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_NAME_KEY")]
    name_key: bool,
    /// Fork version of the signature's domain; the builder must have the same.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BUILDER_FORK_VERSION",
        default_value = "0x00000000",
        value_name = "HEX"
    )]
    fork_version: FixedBytes<4>,
    /// Validators' root of the signature's domain (default: zero); the builder must have the same.
    #[arg(
        long,
        env = "BLOCKWRIGHT_BUILDER_GENESIS_VALIDATORS_ROOT",
        value_name = "HASH"
    )]
    genesis_validators_root: Option<B256>,
}

pub(crate) fn run(args: RegisterArgs) -> eyre::Result<()> {
    crate::logging::init_warnings()?;
    run::block_on_workers(1, async move { register(args).await })
}

async fn register(args: RegisterArgs) -> eyre::Result<()> {
    let source = KeySource {
        file: Some(args.bls_key),
        password_file: args.password_file,
        hex: None,
    };
    let key = source
        .bls_signer(KEY)?
        .ok_or_else(|| eyre!("--bls-key is missing"))?;
    let chain = ChainDomain {
        fork_version: args.fork_version,
        genesis_validators_root: args.genesis_validators_root.unwrap_or_default(),
    };
    let domain = chain.domain(DOMAIN_APPLICATION_BUILDER);
    let root = compute_signing_root(fee_recipient_root(args.fee_recipient), domain);
    let mut params = ArrayParams::new();
    params.insert(args.fee_recipient)?;
    params.insert(key.sign_root(root)?)?;
    if args.name_key {
        params.insert(key.public_key())?;
    }
    let method = Method::SetFeeRecipient.name();
    let client = HttpClientBuilder::default().build(&args.rpc);
    let client = client.wrap_err_with(|| format!("--rpc {}", args.rpc))?;
    let answer: Result<Value, ClientError> = client.request(method, params).await;
    answer.map_err(|error| eyre!("{method} of {}: {}", args.rpc, said(&error)))?;
    println!("public_key: {}", key.public_key());
    println!("fee_recipient: {}", args.fee_recipient);
    Ok(())
}

/// Protocols say what is wrong by a code; what is meant stands in the data.
fn said(error: &ClientError) -> String {
    let ClientError::Call(refusal) = error else {
        return error.to_string();
    };
    let data = refusal.data().map(|data| format!(", {}", data.get()));
    let (code, message) = (refusal.code(), refusal.message());
    format!("refused with {code}, {message}{}", data.unwrap_or_default())
}
