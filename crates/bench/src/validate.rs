//! Replays a run's blocks into another node.

use std::path::Path;

use alloy_primitives::B256;
use blockwright_types::OpFork;
use bytes::Bytes;

use crate::engine_client::EngineClient;
use crate::envelope::Envelope;
use crate::json_rpc::{JsonRpc, JwtSecret};
use crate::{BenchError, Progress, Validation};

/// Another node on the same chain.
#[derive(Debug)]
pub(crate) struct Validator {
    engine: EngineClient,
}

impl Validator {
    /// Connects to the Engine API at `url` and checks the secret and the chain.
    pub(crate) async fn connect(
        (url, jwt): &(String, std::path::PathBuf),
        fork: OpFork,
        chain_id: u64,
    ) -> Result<Self, BenchError> {
        let secret = JwtSecret::read(Path::new(jwt))?;
        let mut engine = EngineClient::new(JsonRpc::new(url, Some(secret))?, fork);
        let found = engine.chain_id().await?;
        if found != chain_id {
            return Err(BenchError::Chain {
                url: url.clone(),
                what: format!("its chain id is {found}, the plan's {chain_id}"),
            });
        }
        Ok(Self { engine })
    }

    /// Imports the blocks of `envelopes` in order, each made the head, on a chain that begins with
    /// `genesis`. A call that fails is a verdict too: a run is not lost because the judge is.
    pub(crate) async fn replay(
        &mut self,
        genesis: B256,
        envelopes: &[Bytes],
        progress: &dyn Progress,
    ) -> Vec<Validation> {
        let mut verdicts = Vec::with_capacity(envelopes.len());
        for (position, raw) in envelopes.iter().enumerate() {
            let Some(envelope) = Envelope::find(raw.clone()) else {
                continue;
            };
            let verdict = self.import(genesis, &envelope).await;
            verdicts.push(Validation {
                number: envelope.number,
                status: verdict.unwrap_or_else(|error| error.to_string()),
            });
            progress.step("validating", position as u64 + 1, envelopes.len() as u64);
        }
        verdicts
    }

    async fn import(&mut self, genesis: B256, envelope: &Envelope) -> Result<String, BenchError> {
        let verdict = self.engine.new_payload(envelope).await?.value;
        if verdict != "VALID" {
            return Ok(verdict);
        }
        let choice = self
            .engine
            .fork_choice(envelope.hash, genesis, None)
            .await?;
        Ok(choice.value.status)
    }
}
