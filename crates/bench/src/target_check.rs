//! What is checked before a run: the builder answers, takes the secret, and is on the plan's chain.

use crate::attributes::AttributesPlan;
use crate::chain_reader::{block_head, chain_id, client_version, funded, nonce};
use crate::engine_client::EngineClient;
use crate::json_rpc::{JsonRpc, JwtSecret};
use crate::player::PlayerPlan;
use crate::process::ProcessMeter;
use crate::validate::Validator;
use crate::warm_memory::WarmMemory;
use crate::{BenchError, RunPlan, Target, Workload};

/// A target that can be measured.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Its Engine API.
    pub(crate) engine: EngineClient,
    /// What the consensus client goes by.
    pub(crate) player: PlayerPlan,
    /// Version text of the builder.
    pub(crate) client_version: Option<String>,
    /// The second node, where there is one.
    pub(crate) validator: Option<Validator>,
}

/// Checks `target` against `plan` and the accounts of `workload`.
pub(crate) async fn check(
    plan: &RunPlan,
    workload: &Workload,
    target: &Target,
) -> Result<Checked, BenchError> {
    let wanted = plan.chain.chain_id;
    let secret = JwtSecret::read(&target.jwt_path)?;
    let fork = plan.chain.fork;
    // Payloads contain as many digits as the requests that sent their transactions.
    let memory = WarmMemory::of(workload.bytes());
    let rpc = JsonRpc::new(&target.engine_url, Some(secret))?.with_memory(memory);
    let mut engine = EngineClient::new(rpc, fork);
    same_chain(&target.engine_url, wanted, engine.chain_id().await?)?;
    let mut rpc = JsonRpc::new(&target.rpc_url, None)?;
    same_chain(&target.rpc_url, wanted, chain_id(&mut rpc).await?)?;
    check_senders(&mut rpc, workload, target).await?;
    if let Some(pid) = target.pid
        && !ProcessMeter::start(Some(pid)).is_alive()
    {
        return Err(BenchError::Process { pid });
    }
    let validator = match &target.validate {
        Some(node) => Some(Validator::connect(node, fork, wanted).await?),
        None => None,
    };
    let genesis = block_head(&mut rpc, "0x0").await?;
    let head = block_head(&mut rpc, "latest").await?;
    let attributes = AttributesPlan {
        fork,
        gas_limit: plan.chain.gas_limit,
        fee_params: workload.fee_params(),
        block_time_s: plan.timing.block_time_s,
        genesis_s: genesis.timestamp_s,
    };
    Ok(Checked {
        engine,
        player: PlayerPlan {
            attributes,
            timing: plan.timing,
            head,
        },
        client_version: client_version(&mut rpc).await,
        validator,
    })
}

fn same_chain(url: &str, wanted: u64, found: u64) -> Result<(), BenchError> {
    if found == wanted {
        return Ok(());
    }
    Err(BenchError::Chain {
        url: url.to_owned(),
        what: format!("its chain id is {found}, the plan's {wanted}"),
    })
}

/// The first and the last sender tell whether the genesis is the workload's and still unused.
async fn check_senders(
    rpc: &mut JsonRpc,
    workload: &Workload,
    target: &Target,
) -> Result<(), BenchError> {
    let senders = workload.senders();
    let differs = |what| BenchError::Chain {
        url: target.rpc_url.clone(),
        what,
    };
    for sender in senders.first().into_iter().chain(senders.last()) {
        if !funded(rpc, *sender).await? {
            return Err(differs(format!(
                "sender {sender} of the load owns nothing: start the builder with the genesis that \
                 `blockwright bench genesis` writes for the same plan"
            )));
        }
        let sent = nonce(rpc, *sender).await?;
        if sent > 0 {
            return Err(differs(format!(
                "sender {sender} has sent {sent} transactions already: start the builder on an empty \
                 data directory"
            )));
        }
    }
    Ok(())
}
