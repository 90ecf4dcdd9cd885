//! What is asked of a node before a run.

use alloy_primitives::{Address, B256};
use bytes::Bytes;

use crate::BenchError;
use crate::json_rpc::JsonRpc;
use crate::json_scan::{member, quantity, string};

/// The part of a header a consensus client builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHead {
    /// Hash.
    pub(crate) hash: B256,
    /// Number.
    pub(crate) number: u64,
    /// Timestamp in seconds.
    pub(crate) timestamp_s: u64,
}

/// `eth_chainId`.
pub(crate) async fn chain_id(rpc: &mut JsonRpc) -> Result<u64, BenchError> {
    let method = "eth_chainId";
    let answer = rpc.call(method, &[]).await?.value;
    quantity(&answer).ok_or_else(|| rpc.malformed(method, "no quantity"))
}

/// The head of the block `tag` stands for (`0x0`, `latest`).
pub(crate) async fn block_head(rpc: &mut JsonRpc, tag: &str) -> Result<BlockHead, BenchError> {
    let method = "eth_getBlockByNumber";
    let params = [
        Bytes::from(format!("\"{tag}\"")),
        Bytes::from_static(b"false"),
    ];
    let answer = rpc.call(method, &params).await?.value;
    let field = |name| member(&answer, name);
    let head = || {
        Some(BlockHead {
            hash: field("hash").and_then(string)?.parse().ok()?,
            number: field("number").and_then(quantity)?,
            timestamp_s: field("timestamp").and_then(quantity)?,
        })
    };
    head().ok_or_else(|| rpc.malformed(method, "no block with hash, number and timestamp"))
}

/// Transactions `account` has sent.
pub(crate) async fn nonce(rpc: &mut JsonRpc, account: Address) -> Result<u64, BenchError> {
    let method = "eth_getTransactionCount";
    let answer = rpc.call(method, &of_account(account)).await?.value;
    quantity(&answer).ok_or_else(|| rpc.malformed(method, "no quantity"))
}

/// Whether `account` owns anything.
pub(crate) async fn funded(rpc: &mut JsonRpc, account: Address) -> Result<bool, BenchError> {
    let method = "eth_getBalance";
    let answer = rpc.call(method, &of_account(account)).await?.value;
    let text = string(&answer).and_then(|text| text.strip_prefix("0x"));
    let text = text.ok_or_else(|| rpc.malformed(method, "no quantity"))?;
    Ok(text.bytes().any(|digit| digit != b'0'))
}

/// `web3_clientVersion`, where the node tells.
pub(crate) async fn client_version(rpc: &mut JsonRpc) -> Option<String> {
    let answer = rpc.call("web3_clientVersion", &[]).await.ok()?.value;
    string(&answer).map(str::to_owned)
}

fn of_account(account: Address) -> [Bytes; 2] {
    [
        Bytes::from(format!("\"{account}\"")),
        Bytes::from_static(b"\"latest\""),
    ]
}
