//! What drives a development chain on a host that is none of ours: a block every block time, over the Engine
//! API, as `blockwright dev` does inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use blockwright_payload::{ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion};
use jsonrpsee::core::client::Error;
use serde_json::{Value, json};

use super::host::ClockPlan;
use super::process::Endpoints;
use super::rpc::quantity;
use super::sequencer::{Engine, attributes_of, now_ms};

/// How long before a block's timestamp its payload is asked for, in milliseconds.
const SEALING_MS: u64 = 50;

/// A running clock; it ends with this.
pub struct DevClock {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DevClock {
    pub fn start(endpoints: &Endpoints, plan: ClockPlan) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let clock = Clock {
            engine: Engine::at(endpoints),
            plan,
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
    plan: ClockPlan,
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
        let ClockPlan { block_time_s, fork } = self.plan;
        let latest = json!(["latest", false]);
        let head = self.engine.try_call("eth_getBlockByNumber", latest).await?;
        let regular = quantity(&head["timestamp"]) + block_time_s;
        let now_s = now_ms() / 1_000;
        // A chain that slept goes on now.
        let timestamp = if now_s >= regular {
            now_s + block_time_s
        } else {
            regular
        };
        if !self.wait_until((timestamp - block_time_s) * 1_000).await {
            return Ok(());
        }
        let attributes = attributes_of(fork, quantity(&head["number"]) + 1, timestamp);
        let hash = &head["hash"];
        let begun = self.choose(hash, hash, &attributes).await?;
        if !self.wait_until(timestamp * 1_000 - SEALING_MS).await {
            return Ok(());
        }
        let built = self.import(&begun["payloadId"]).await?;
        self.choose(&built, hash, &Value::Null).await?;
        Ok(())
    }

    /// Asks for the payload and hands it in; its hash.
    async fn import(&self, id: &Value) -> Result<Value, Error> {
        let fork = self.plan.fork;
        let version = GetPayloadVersion::of(fork);
        let method = format!("engine_getPayloadV{}", version as u8 + 1);
        let built = self.engine.try_call(&method, json!([id])).await?;
        let payload = match version {
            GetPayloadVersion::V1 => &built,
            _ => &built["executionPayload"],
        };
        let params = match NewPayloadVersion::of(fork) {
            NewPayloadVersion::V1 | NewPayloadVersion::V2 => json!([payload]),
            NewPayloadVersion::V3 => json!([payload, [], built["parentBeaconBlockRoot"]]),
            NewPayloadVersion::V4 => json!([payload, [], built["parentBeaconBlockRoot"], []]),
        };
        let method = format!(
            "engine_newPayloadV{}",
            NewPayloadVersion::of(fork) as u8 + 1
        );
        let status = self.engine.try_call(&method, params).await?;
        assert_eq!(status["status"], "VALID", "our own block: {status}");
        Ok(payload["blockHash"].clone())
    }

    async fn choose(&self, head: &Value, final_: &Value, with: &Value) -> Result<Value, Error> {
        let state = json!({
            "headBlockHash": head,
            "safeBlockHash": head,
            "finalizedBlockHash": final_,
        });
        let version = ForkchoiceVersion::of(self.plan.fork) as u8 + 1;
        let method = format!("engine_forkchoiceUpdatedV{version}");
        self.engine.try_call(&method, json!([state, with])).await
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
