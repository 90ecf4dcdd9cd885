//! JSON-RPC calls over plain HTTP.

use std::time::{Duration, Instant};

use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use serde_json::Value;

/// A JSON-RPC client whose calls panic on errors unless asked otherwise.
#[derive(Clone)]
pub struct Rpc(pub HttpClient);

impl Rpc {
    pub fn new(url: &str) -> Self {
        let client = HttpClientBuilder::default()
            .request_timeout(Duration::from_secs(30))
            .max_response_size(64 << 20)
            .build(url)
            .unwrap();
        Self(client)
    }

    pub async fn try_call(&self, method: &str, params: Value) -> Result<Value, Error> {
        let mut array = ArrayParams::new();
        for param in params.as_array().unwrap() {
            array.insert(param).unwrap();
        }
        self.0.request(method, array).await
    }

    pub async fn call(&self, method: &str, params: Value) -> Value {
        let shown = params.to_string();
        self.try_call(method, params)
            .await
            .unwrap_or_else(|error| panic!("{method} {shown}: {error}"))
    }

    /// Code and message of a call that must fail.
    pub async fn call_err(&self, method: &str, params: Value) -> (i32, String) {
        match self.try_call(method, params).await {
            Err(Error::Call(error)) => (error.code(), error.message().to_owned()),
            other => panic!("{method} gave {other:?} in place of an error object"),
        }
    }

    pub async fn number(&self, method: &str, params: Value) -> u64 {
        quantity(&self.call(method, params).await)
    }

    /// The receipt of `hash` once it is in a sealed block.
    pub async fn receipt(&self, hash: &str, within: Duration) -> Value {
        let zero = serde_json::json!(alloy_primitives::B256::ZERO);
        self.receipt_that(hash, within, |receipt| receipt["blockHash"] != zero)
            .await
    }

    /// The first receipt of `hash` that there is, preconfirmed or sealed.
    pub async fn first_receipt(&self, hash: &str, within: Duration) -> Value {
        self.receipt_that(hash, within, |_| true).await
    }

    async fn receipt_that(
        &self,
        hash: &str,
        within: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let receipt = self
                .call("eth_getTransactionReceipt", serde_json::json!([hash]))
                .await;
            if !receipt.is_null() && wanted(&receipt) {
                return receipt;
            }
            assert!(
                Instant::now() < deadline,
                "no receipt of {hash} in {within:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A hex quantity.
pub fn quantity(value: &Value) -> u64 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no quantity"));
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}
