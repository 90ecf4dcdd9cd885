//! What a proposer's own node knows of the block that comes next.

use alloy_primitives::B256;
use eyre::{WrapErr, eyre};
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use serde_json::Value;

/// A node, asked over JSON-RPC.
pub(super) struct ProposerNode {
    url: String,
    client: HttpClient,
}

/// A block as far as the next one depends on it.
pub(super) struct ParentBlock {
    pub(super) hash: B256,
    pub(super) number: u64,
    pub(super) beacon_root: Option<B256>,
}

impl ProposerNode {
    pub(super) fn new(url: &str) -> eyre::Result<Self> {
        let client = HttpClientBuilder::default().build(url);
        Ok(Self {
            url: url.to_owned(),
            client: client.wrap_err_with(|| format!("--rpc {url}"))?,
        })
    }

    pub(super) async fn chain_id(&self) -> eyre::Result<u64> {
        let answer = self.client.request("eth_chainId", rpc_params![]).await;
        let answer: Value = answer.wrap_err_with(|| self.failed("eth_chainId"))?;
        number(&answer).ok_or_else(|| eyre!("{}: no number", self.failed("eth_chainId")))
    }

    /// The block with this hash; without one the latest.
    pub(super) async fn parent(&self, hash: Option<B256>) -> eyre::Result<ParentBlock> {
        match hash {
            Some(hash) => {
                let block = self.block("eth_getBlockByHash", hash.to_string()).await?;
                block.ok_or_else(|| eyre!("the node at {} has no block {hash}", self.url))
            }
            None => {
                let block = self.block("eth_getBlockByNumber", "latest".to_owned());
                let block = block.await?;
                block.ok_or_else(|| eyre!("the node at {} has no block", self.url))
            }
        }
    }

    /// The beacon root that the block after `parent` will probably have: that of the block which the node
    /// is building on it, else the parent's, for it changes with the L1 origin alone.
    pub(super) async fn next_beacon_root(&self, parent: &ParentBlock) -> Option<B256> {
        let params = rpc_params!["pending", false];
        let pending: Option<Value> = self
            .client
            .request("eth_getBlockByNumber", params)
            .await
            .ok();
        pending
            .filter(|block| hash(block, "parentHash") == Some(parent.hash))
            .and_then(|block| hash(&block, "parentBeaconBlockRoot"))
            .or(parent.beacon_root)
    }

    async fn block(&self, method: &str, which: String) -> eyre::Result<Option<ParentBlock>> {
        let answer = self.client.request(method, rpc_params![which, false]).await;
        let block: Value = answer.wrap_err_with(|| self.failed(method))?;
        if block.is_null() {
            return Ok(None);
        }
        let (Some(hash_of_block), Some(number)) = (hash(&block, "hash"), number(&block["number"]))
        else {
            return Err(eyre!(
                "{}: a block without hash and number",
                self.failed(method)
            ));
        };
        Ok(Some(ParentBlock {
            hash: hash_of_block,
            number,
            beacon_root: hash(&block, "parentBeaconBlockRoot"),
        }))
    }

    fn failed(&self, method: &str) -> String {
        format!("{method} of {}", self.url)
    }
}

fn hash(block: &Value, field: &str) -> Option<B256> {
    block[field].as_str()?.parse().ok()
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}
