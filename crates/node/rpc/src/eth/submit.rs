//! `eth_sendRawTransaction`.

use alloy_primitives::{B256, Bytes};

use crate::{EthApi, RpcError};

impl EthApi {
    /// Decodes, checks and pools a signed transaction; the pool does the work on its own threads.
    pub(crate) async fn send_raw_transaction(&self, encoded: Bytes) -> Result<B256, RpcError> {
        Ok(self.deps.pool.add_raw(encoded).await?)
    }
}
