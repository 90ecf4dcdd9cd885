//! Drives a development chain as a consensus client would: fork choice with attributes at the
//! parent's timestamp, the payload shortly before the block's, import, fork choice.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_consensus::Header;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B64, B256, Bytes, U256, address, keccak256};
use alloy_rpc_types_engine::{ForkchoiceState, PayloadAttributes};
use blockwright_chain::L1Attributes;
use blockwright_chain::dev::{default_l1_attributes, l1_info_deposit};
use blockwright_engine::{
    Engine, EngineError, ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion, PayloadEnvelope,
};
use blockwright_types::OpFork;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use tokio::time::{Instant, sleep_until};

use super::schedule::{BlockSlot, next_slot};
use crate::error::failed;
use crate::{DevConfig, LaunchError, Node};

/// Where an OP chain's priority fees go: the SequencerFeeVault.
const FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");

/// Seconds of an imaginary L1 block.
const L1_BLOCK_TIME_S: u64 = 12;

/// How long to wait after a failed block before the next try.
const RETRY: Duration = Duration::from_secs(1);

/// Builds a block every block time until the engine can go on no more. A block that fails is logged
/// and tried again.
pub async fn run_dev_clock(node: &Node, dev: &DevConfig) -> Result<(), LaunchError> {
    let clock = DevClock {
        engine: node.engine().clone(),
        dev: dev.clone(),
    };
    loop {
        if let Err(error) = clock.next_block().await {
            tracing::error!(%error, "block failed");
            if error.severity() == blockwright_types::Severity::Fatal {
                return Err(failed("chain", error));
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

struct DevClock {
    engine: Engine,
    dev: DevConfig,
}

impl DevClock {
    async fn next_block(&self) -> Result<(), EngineError> {
        let head = self.engine.store().head();
        let parent = self
            .engine
            .store()
            .header(head.hash)
            .ok_or(EngineError::StateUnavailable(head.hash))?;
        let slot = next_slot(parent.timestamp, self.dev.block_time_s, since_epoch());
        let fork = self.engine.chain().fork_at(slot.timestamp_s);
        wait_until(slot.start).await;
        let id = self.start(head.hash, &parent, slot, fork).await?;
        wait_until(slot.resolve).await;
        let envelope = self
            .engine
            .get_payload(GetPayloadVersion::of(fork), id)
            .await?;
        let hash = envelope.execution_payload.block_hash;
        self.import(fork, envelope).await?;
        self.choose(fork, hash, None).await?;
        Ok(())
    }

    async fn start(
        &self,
        hash: B256,
        parent: &Header,
        slot: BlockSlot,
        fork: OpFork,
    ) -> Result<blockwright_types::PayloadId, EngineError> {
        let attributes = self.attributes(parent, slot.timestamp_s, fork);
        let answer = self.choose(fork, hash, Some(attributes)).await?;
        answer.ok_or_else(|| EngineError::Internal("no payload id for our own head".to_owned()))
    }

    async fn import(&self, fork: OpFork, envelope: PayloadEnvelope) -> Result<(), EngineError> {
        let root = envelope.parent_beacon_block_root;
        let version = NewPayloadVersion::of(fork);
        let status = self
            .engine
            .new_payload(version, envelope.execution_payload, root)
            .await?;
        if status.is_valid() {
            return Ok(());
        }
        Err(EngineError::Internal(format!(
            "our own block is not valid: {status:?}"
        )))
    }

    async fn choose(
        &self,
        fork: OpFork,
        head: B256,
        attributes: Option<OpPayloadAttributes>,
    ) -> Result<Option<blockwright_types::PayloadId>, EngineError> {
        // Nobody posts batches: a block is as final as it will ever be once it is built on.
        let state = ForkchoiceState {
            head_block_hash: head,
            safe_block_hash: head,
            finalized_block_hash: self.engine.store().head().hash,
        };
        let answer = self
            .engine
            .fork_choice_updated(ForkchoiceVersion::of(fork), state, attributes)
            .await?;
        if answer.payload_status.is_valid() {
            return Ok(answer.payload_id);
        }
        Err(EngineError::Internal(format!(
            "fork choice refused: {:?}",
            answer.payload_status
        )))
    }

    fn attributes(&self, parent: &Header, timestamp: u64, fork: OpFork) -> OpPayloadAttributes {
        let deposit = self.l1_info(timestamp, fork);
        let ecotone = fork >= OpFork::Ecotone;
        OpPayloadAttributes {
            payload_attributes: PayloadAttributes {
                timestamp,
                prev_randao: keccak256(parent.number.to_be_bytes()),
                suggested_fee_recipient: FEE_VAULT,
                withdrawals: (fork >= OpFork::Canyon).then(Vec::new),
                parent_beacon_block_root: ecotone.then(|| keccak256(timestamp.to_be_bytes())),
                ..PayloadAttributes::default()
            },
            transactions: Some(vec![deposit]),
            no_tx_pool: None,
            gas_limit: Some(self.dev.gas_limit),
            eip_1559_params: (fork >= OpFork::Holocene).then_some(B64::ZERO),
            min_base_fee: (fork >= OpFork::Jovian).then_some(0),
        }
    }

    /// The deposit that opens every block, on an L1 block that changes every twelve seconds.
    fn l1_info(&self, timestamp: u64, fork: OpFork) -> Bytes {
        let genesis = self.engine.chain().genesis_header().timestamp;
        let age = timestamp.saturating_sub(genesis);
        let number = age / L1_BLOCK_TIME_S;
        let sequence_number = (age % L1_BLOCK_TIME_S) / self.dev.block_time_s.max(1);
        let attributes = L1Attributes {
            number,
            timestamp: genesis + number * L1_BLOCK_TIME_S,
            hash: keccak256(U256::from(number).to_be_bytes::<32>()),
            ..default_l1_attributes()
        };
        l1_info_deposit(fork, &attributes, sequence_number)
            .encoded_2718()
            .into()
    }
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

async fn wait_until(at: Duration) {
    let left = at.saturating_sub(since_epoch());
    sleep_until(Instant::now() + left).await;
}
