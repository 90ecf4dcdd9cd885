//! The balances of all accounts that a payload has touched, kept as text.

use alloy_primitives::{Address, U256};
use blockwright_types::BlockPart;

use crate::json::JsonWriter;

/// An entry in bytes, rounded up: most balances are below 2^80.
const ENTRY_BYTES: usize = 72;

/// The entries of `new_account_balances` in the order of their addresses.
///
/// Every frame lists all of them, and a large block touches tens of thousands of accounts. So the
/// text of the frame before is kept: what did not change is copied in runs, and only what did is
/// written anew.
#[derive(Debug, Default)]
pub(crate) struct Balances {
    list: List,
    /// The list before this one, for its memory.
    spare: List,
}

#[derive(Debug, Default)]
struct List {
    entries: Vec<Entry>,
    /// The entries' text, each with a comma behind it.
    text: JsonWriter,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    address: Address,
    /// Bytes of its text; no address and balance take more than 115.
    length: u8,
}

impl Balances {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// Takes over the balances of a part; an account that no longer exists has none.
    pub(crate) fn update(&mut self, part: &BlockPart) {
        let changed = changed_balances(part);
        let next = &mut self.spare;
        next.clear();
        next.entries
            .reserve(self.list.entries.len() + changed.len());
        next.text
            .reserve(self.list.text.len() + changed.len() * ENTRY_BYTES);
        let mut before = self.list.read();
        for (address, balance) in &changed {
            before.copy_below(address, next);
            before.skip(address);
            next.push(*address, balance);
        }
        before.copy_all(next);
        core::mem::swap(&mut self.list, &mut self.spare);
    }

    /// The entries, separated by commas.
    pub(crate) fn text(&self) -> &[u8] {
        let text = self.list.text.as_bytes();
        text.strip_suffix(b",").unwrap_or(text)
    }
}

/// The last balance of each account in `part`, in the order of addresses.
fn changed_balances(part: &BlockPart) -> Vec<(Address, U256)> {
    let count = part.changes.iter().map(|piece| piece.accounts.len()).sum();
    let mut changed = Vec::with_capacity(count);
    for (piece, changes) in (0_u32..).zip(&part.changes) {
        for (address, change) in &changes.accounts {
            let balance = change.post.map_or(U256::ZERO, |post| post.balance);
            changed.push((*address, piece, balance));
        }
    }
    // The latest piece first, so that removing repetitions leaves it.
    changed.sort_unstable_by(|(address, piece, _), (other, other_piece, _)| {
        address.cmp(other).then(other_piece.cmp(piece))
    });
    changed.dedup_by_key(|(address, _, _)| *address);
    changed
        .into_iter()
        .map(|(address, _, balance)| (address, balance))
        .collect()
}

impl List {
    fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
    }

    fn read(&self) -> Reader<'_> {
        Reader {
            entries: &self.entries,
            text: self.text.as_bytes(),
        }
    }

    fn push(&mut self, address: Address, balance: &U256) {
        let start = self.text.len();
        self.text.hex(address.as_slice());
        self.text.raw(":");
        self.text.quantity_u256(balance);
        self.text.raw(",");
        let length = u8::try_from(self.text.len() - start);
        self.entries.push(Entry {
            address,
            length: length.expect("20 and at most 32 bytes take 112 characters as hex strings"),
        });
    }
}

/// What is left of a list while it is merged into the next one.
struct Reader<'a> {
    entries: &'a [Entry],
    text: &'a [u8],
}

impl Reader<'_> {
    /// Copies the entries below `address`.
    fn copy_below(&mut self, address: &Address, to: &mut List) {
        let mut count = 0;
        let mut bytes = 0;
        for entry in self.entries {
            if entry.address >= *address {
                break;
            }
            count += 1;
            bytes += usize::from(entry.length);
        }
        self.copy(count, bytes, to);
    }

    fn copy_all(&mut self, to: &mut List) {
        self.copy(self.entries.len(), self.text.len(), to);
    }

    fn copy(&mut self, count: usize, bytes: usize, to: &mut List) {
        to.entries.extend_from_slice(&self.entries[..count]);
        to.text.raw_bytes(&self.text[..bytes]);
        self.entries = &self.entries[count..];
        self.text = &self.text[bytes..];
    }

    /// Leaves out the next entry if it is that of `address`.
    fn skip(&mut self, address: &Address) {
        if let Some((first, rest)) = self.entries.split_first()
            && first.address == *address
        {
            self.text = &self.text[usize::from(first.length)..];
            self.entries = rest;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use blockwright_types::{AccountChange, AccountPost, Changes};

    use super::*;

    /// A small deterministic generator (xorshift).
    struct Rng(u64);

    impl Rng {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    fn address(number: u64) -> Address {
        // Neighbours in order must be neighbours in the list, at both ends too.
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&(number << 32).to_be_bytes());
        Address::from(bytes)
    }

    fn post(balance: U256) -> AccountPost {
        AccountPost {
            balance,
            nonce: 1,
            code_hash: alloy_primitives::KECCAK256_EMPTY,
        }
    }

    fn random_part(rng: &mut Rng, model: &mut BTreeMap<Address, U256>) -> BlockPart {
        let mut pieces = Vec::new();
        for _ in 0..rng.below(4) {
            let mut changes = Changes::default();
            for _ in 0..rng.below(12) {
                let at = address(rng.below(40));
                let balance = U256::MAX >> (8 * rng.below(33) as usize);
                let exists = rng.below(8) > 0;
                let change = AccountChange {
                    post: exists.then(|| post(balance)),
                    storage_wiped: false,
                    storage: Default::default(),
                };
                changes.accounts.insert(at, change);
            }
            for (at, change) in &changes.accounts {
                let balance = change.post.map_or(U256::ZERO, |post| post.balance);
                model.insert(*at, balance);
            }
            pieces.push(Arc::new(changes));
        }
        BlockPart::new(Vec::new(), Vec::new(), pieces)
    }

    #[test]
    fn the_text_is_that_of_all_balances_written_anew() {
        for seed in 1..200 {
            let mut rng = Rng(seed);
            let mut balances = Balances::default();
            let mut model = BTreeMap::new();
            for step in 0..12 {
                if step == 8 {
                    balances.clear();
                    model.clear();
                }
                balances.update(&random_part(&mut rng, &mut model));
                let entries: Vec<String> = model
                    .iter()
                    .map(|(at, balance)| format!("\"0x{}\":\"{balance:#x}\"", at.0))
                    .collect();
                let expected = entries.join(",").replace("0x0x", "0x");
                let text = std::str::from_utf8(balances.text()).unwrap();
                assert_eq!(text, expected, "seed {seed}, step {step}");
            }
        }
    }
}
