//! The funded accounts of the standard test mnemonic.

use alloy_primitives::{Address, U256, address};

/// The standard test mnemonic of Ethereum tooling; its keys are public.
pub const DEV_MNEMONIC: &str = "test test test test test test test test test test test junk";

/// Balance of each development account: 10,000 ETH in wei.
pub const DEV_BALANCE: U256 = U256::from_limbs([0x19e0_c9ba_b240_0000, 0x21e, 0, 0]);

/// The first ten accounts of [`DEV_MNEMONIC`] (derivation path `m/44'/60'/0'/0/i`).
pub const fn dev_accounts() -> [Address; 10] {
    [
        address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
        address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
        address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
        address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
        address!("976EA74026E726554dB657fA54763abd0C3a0aa9"),
        address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
        address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
        address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloy_primitives::utils::parse_ether;
    use alloy_signer_local::{MnemonicBuilder, coins_bip39::English};

    #[test]
    fn accounts_are_derived_from_the_mnemonic() {
        for (index, account) in dev_accounts().into_iter().enumerate() {
            let signer = MnemonicBuilder::<English>::default()
                .phrase(DEV_MNEMONIC)
                .index(index as u32)
                .unwrap()
                .build()
                .unwrap();
            assert_eq!(signer.address(), account, "account {index}");
        }
    }

    #[test]
    fn the_balance_is_ten_thousand_ether() {
        assert_eq!(DEV_BALANCE, parse_ether("10000").unwrap());
    }
}
