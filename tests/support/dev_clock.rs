//! What drives a development chain on a host that is none of ours: a block every block time, over the Engine
//! API, as `blockwright dev` does inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jsonrpsee::core::client::Error;
use serde_json::{Value, json};

use super::process::Endpoints;
use super::rpc::quantity;
use super::sequencer::{Engine, attributes, now_ms};

/// How long before a block's timestamp its payload is asked for, in milliseconds.
const SEALING_MS: u64 = 50;

/// A running clock; it ends with this.
pub struct DevClock {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DevClock {
    pub fn start(endpoints: &Endpoints, block_time_s: u64) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let clock = Clock {
            engine: Engine::at(endpoints),
            block_time_s,
            stopped: Arc::clone(&stopped),
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(clock.run());
        });
        Self {
            stopped,
            thread: Some(thread),
        }
    }
}

impl Drop for DevClock {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // What it panicked over was said by the panic.
            let _ = thread.join();
        }
    }
}

struct Clock {
    engine: Engine,
    block_time_s: u64,
    stopped: Arc<AtomicBool>,
}

impl Clock {
    async fn run(self) {
        while !self.is_stopped() {
            if let Err(error) = self.next_block().await {
                if self.is_stopped() {
                    return;
                }
                eprintln!("no block: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    async fn next_block(&self) -> Result<(), Error> {
        let engine = &self.engine;
        let latest = json!(["latest", false]);
        let head = engine.try_call("eth_getBlockByNumber", latest).await?;
        let regular = quantity(&head["timestamp"]) + self.block_time_s;
        let now_s = now_ms() / 1_000;
        // A chain that slept goes on now.
        let timestamp = if now_s >= regular {
            now_s + self.block_time_s
        } else {
            regular
        };
        if !self
            .wait_until((timestamp - self.block_time_s) * 1_000)
            .await
        {
            return Ok(());
        }
        let attributes = attributes(quantity(&head["number"]) + 1, timestamp);
        let begun = self
            .choose(&head["hash"], &head["hash"], &attributes)
            .await?;
        if !self.wait_until(timestamp * 1_000 - SEALING_MS).await {
            return Ok(());
        }
        let id = json!([begun["payloadId"]]);
        let built = engine.try_call("engine_getPayloadV5", id).await?;
        let payload = &built["executionPayload"];
        let params = json!([payload, [], built["parentBeaconBlockRoot"], []]);
        let status = engine.try_call("engine_newPayloadV4", params).await?;
        assert_eq!(status["status"], "VALID", "our own block: {status}");
        self.choose(&payload["blockHash"], &head["hash"], &Value::Null)
            .await?;
        Ok(())
    }

    async fn choose(&self, head: &Value, final_: &Value, with: &Value) -> Result<Value, Error> {
        let state = json!({
            "headBlockHash": head,
            "safeBlockHash": head,
            "finalizedBlockHash": final_,
        });
        let params = json!([state, with]);
        self.engine
            .try_call("engine_forkchoiceUpdatedV3", params)
            .await
    }

    /// `false` where the clock was stopped meanwhile.
    async fn wait_until(&self, at_ms: u64) -> bool {
        const LOOK: Duration = Duration::from_millis(50);
        while !self.is_stopped() {
            let left = Duration::from_millis(at_ms.saturating_sub(now_ms()));
            if left.is_zero() {
                return true;
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
        false
    }
}
