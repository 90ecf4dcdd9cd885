//! The ten accounts every Ethereum developer knows.

use alloy_primitives::Address;
use alloy_signer_local::coins_bip39::English;
use alloy_signer_local::{MnemonicBuilder, PrivateKeySigner};

pub use blockwright_chain::dev::DEV_MNEMONIC;

/// Number of funded accounts.
pub const DEV_ACCOUNTS: u32 = 10;

/// A funded development account.
#[derive(Clone, Debug)]
pub struct DevAccount {
    /// Its address.
    pub address: Address,
    /// Its key.
    pub signer: PrivateKeySigner,
}

/// The accounts `m/44'/60'/0'/0/0` to `/9` of [`DEV_MNEMONIC`].
pub fn dev_accounts() -> Vec<DevAccount> {
    (0..DEV_ACCOUNTS)
        .map(|index| {
            let signer = MnemonicBuilder::<English>::default()
                .phrase(DEV_MNEMONIC)
                .index(index)
                .and_then(|builder| builder.build())
                .expect("the standard mnemonic is valid at every index");
            DevAccount {
                address: signer.address(),
                signer,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::address;

    #[test]
    fn accounts_are_the_well_known_ones() {
        let accounts = dev_accounts();
        assert_eq!(accounts.len(), 10);
        assert_eq!(
            accounts[0].address,
            address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        );
        assert_eq!(
            accounts[9].address,
            address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720")
        );
    }
}
