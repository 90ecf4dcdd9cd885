//! Contract code by its hash.

use alloy_primitives::map::FbBuildHasher;
use alloy_primitives::{B256, Bytes};
use blockwright_types::NewCode;
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;
use revm_database_interface::state::Bytecode;

/// All code ever deployed on a branch, analysed for execution. Clones share all that is equal;
/// code is never removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeMap {
    by_hash: GenericHashMap<B256, Bytecode, FbBuildHasher<32>, DefaultSharedPtr>,
}

impl CodeMap {
    pub(crate) fn get(&self, hash: &B256) -> Option<&Bytecode> {
        self.by_hash.get(hash)
    }

    pub(crate) fn extend(&mut self, code: &NewCode) {
        for (hash, bytes) in code {
            if !self.by_hash.contains_key(hash) {
                self.by_hash.insert(*hash, analysed_code(bytes));
            }
        }
    }
}

/// Code as the EVM runs it. Bytes that look like an EIP-7702 delegation and are none were legal code
/// before London.
pub fn analysed_code(code: &Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code.clone()))
}
