use alloy_primitives::address;

use super::*;
use crate::{InvalidSignature, recover};

/// The first of the well-known development accounts.
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ADDRESS: Address = address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");

fn signer(text: &str) -> Result<LocalSigner, KeyError> {
    LocalSigner::from_hex(&SecretText::new(text.to_owned()))
}

#[test]
fn hex_with_and_without_its_mark_is_the_same_key() {
    for text in [KEY.to_owned(), format!("0x{KEY}"), format!(" {KEY}\n")] {
        assert_eq!(signer(&text).unwrap().address(), ADDRESS);
    }
}

#[test]
fn what_is_signed_recovers_to_the_signer_and_to_nobody_else() {
    let signer = signer(KEY).unwrap();
    let mut ids = [0; 2];
    for byte in 0..32 {
        let digest = B256::repeat_byte(byte);
        let signature = signer.sign(digest).unwrap();
        assert_eq!(signature, signer.sign(digest).unwrap(), "deterministic");
        assert_eq!(recover(digest, &signature), Ok(ADDRESS));
        assert_ne!(
            recover(B256::repeat_byte(byte + 1), &signature),
            Ok(ADDRESS)
        );
        ids[usize::from(signature[64])] += 1;
    }
    assert!(ids[0] > 0 && ids[1] > 0, "both recovery ids occur: {ids:?}");
}

#[test]
fn what_is_no_signature_recovers_to_nobody() {
    let digest = B256::repeat_byte(1);
    let mut signature = signer(KEY).unwrap().sign(digest).unwrap();
    signature[64] = 27;
    let wrong_id = InvalidSignature::RecoveryId(27);
    assert_eq!(recover(digest, &signature), Err(wrong_id));
    let nothing = Signature::ZERO;
    assert_eq!(recover(digest, &nothing), Err(InvalidSignature::Numbers));
}

#[test]
fn neither_prints_nor_errors_show_a_key() {
    let secret = SecretText::new(KEY.to_owned());
    let signer = LocalSigner::from_hex(&secret).unwrap();
    assert_eq!(format!("{secret:?}"), "SecretText(…)");
    assert_eq!(format!("{signer:?}"), format!("LocalSigner({ADDRESS:?})"));
    let zero = "00".repeat(32);
    let above = "ff".repeat(32);
    for (text, expected) in [
        ("", InvalidKey::NotHex),
        (&KEY[2..], InvalidKey::NotHex),
        (&format!("{KEY}00"), InvalidKey::NotHex),
        (&KEY.replace('a', "g"), InvalidKey::NotHex),
        (&zero, InvalidKey::OutOfRange),
        (&above, InvalidKey::OutOfRange),
    ] {
        let error = LocalSigner::from_hex(&SecretText::new(text.to_owned())).unwrap_err();
        assert!(matches!(error, KeyError::Text(cause) if cause == expected));
        assert_eq!(error.to_string(), expected.to_string());
    }
}

#[cfg(unix)]
mod files {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    fn file(directory: &tempfile::TempDir, mode: u32, content: &str) -> PathBuf {
        let path = directory.path().join(format!("key-{mode:o}"));
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_key_file_may_be_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o400] {
            let path = file(&directory, mode, &format!("{KEY}\n"));
            assert_eq!(LocalSigner::from_file(&path).unwrap().address(), ADDRESS);
        }
        for mode in [0o640, 0o604, 0o644, 0o601, 0o700, 0o777] {
            let path = file(&directory, mode, KEY);
            let said = LocalSigner::from_file(&path).unwrap_err().to_string();
            assert!(said.contains(path.to_str().unwrap()), "{said}");
            assert!(said.contains(&format!("mode {mode:04o}")), "{said}");
            assert!(!said.contains(KEY), "{said}");
        }
    }

    #[test]
    fn a_file_without_a_key_is_named_and_not_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let broken = KEY.replace('a', "z");
        let path = file(&directory, 0o600, &broken);
        let said = LocalSigner::from_file(&path).unwrap_err().to_string();
        assert!(said.contains(path.to_str().unwrap()), "{said}");
        assert!(said.ends_with("32 bytes in hex are expected"), "{said}");
        let long = file(&directory, 0o400, &KEY.repeat(1_000));
        assert!(LocalSigner::from_file(&long).is_err());
        let missing = directory.path().join("missing");
        let said = LocalSigner::from_file(&missing).unwrap_err().to_string();
        assert!(said.contains(missing.to_str().unwrap()), "{said}");
    }
}
