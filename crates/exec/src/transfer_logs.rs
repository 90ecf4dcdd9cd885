//! Logs of a message with its ether transfers among them.

use alloy_primitives::{Address, B256, Log, LogData, U256, address, b256};
use revm::inspector::Inspector;
use revm::interpreter::{
    CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, InterpreterTypes,
};

/// The account under which a transfer of ether is logged (ERC-7528).
const ETHER: Address = address!("EeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE");

/// `keccak256("Transfer(address,address,uint256)")`.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// Topic that names the receiver.
const RECEIVER_TOPIC: usize = 2;

/// Records what a transaction logs and, as if they were logs, the ether it moves: by calls, creations
/// and self-destructions, but not by fees. What a failed frame did is forgotten with it.
///
/// The EVM asks it only where it is switched on, because it then asks at each instruction.
#[derive(Debug, Default)]
pub(crate) struct TransferLogs {
    enabled: bool,
    logs: Vec<Log>,
    /// For each open frame, how many logs there were when it began.
    begun_at: Vec<usize>,
}

impl TransferLogs {
    /// Records from now on.
    pub(crate) const fn enable(&mut self) {
        self.enabled = true;
    }

    /// Begins a transaction; whether it is to be recorded.
    pub(crate) fn begin(&mut self) -> bool {
        self.logs.clear();
        self.begun_at.clear();
        self.enabled
    }

    /// What the last transaction did; `None` where nothing was recorded.
    pub(crate) fn take(&mut self) -> Option<Vec<Log>> {
        self.enabled.then(|| core::mem::take(&mut self.logs))
    }

    fn transfer(&mut self, from: Address, to: Address, value: U256) {
        if value.is_zero() {
            return;
        }
        let topics = vec![TRANSFER, from.into_word(), to.into_word()];
        let data = value.to_be_bytes_vec().into();
        self.logs.push(Log {
            address: ETHER,
            data: LogData::new_unchecked(topics, data),
        });
    }

    fn end_frame(&mut self, succeeded: bool) -> Option<usize> {
        let begun_at = self.begun_at.pop()?;
        if !succeeded {
            self.logs.truncate(begun_at);
        }
        Some(begun_at)
    }
}

impl<CTX, INTR: InterpreterTypes> Inspector<CTX, INTR> for TransferLogs {
    fn log(&mut self, _context: &mut CTX, log: Log) {
        self.logs.push(log);
    }

    fn call(&mut self, _context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.begun_at.push(self.logs.len());
        // CALLCODE sends to the caller itself.
        if inputs.scheme == CallScheme::Call
            && let Some(value) = inputs.transfer_value()
        {
            self.transfer(inputs.caller, inputs.target_address, value);
        }
        None
    }

    fn call_end(&mut self, _context: &mut CTX, _inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.end_frame(outcome.result.is_ok());
    }

    fn create(&mut self, _context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.begun_at.push(self.logs.len());
        // The receiver's address is known when the creation has ended.
        self.transfer(inputs.caller(), Address::ZERO, inputs.value());
        None
    }

    fn create_end(
        &mut self,
        _context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        let begun_at = self.end_frame(outcome.result.is_ok());
        if let Some(index) = begun_at
            && !inputs.value().is_zero()
            && let Some(log) = self.logs.get_mut(index)
            && let Some(topic) = log.data.topics_mut().get_mut(RECEIVER_TOPIC)
        {
            *topic = outcome.address.unwrap_or_default().into_word();
        }
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.transfer(contract, target, value);
    }
}
