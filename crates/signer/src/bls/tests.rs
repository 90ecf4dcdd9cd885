use alloy_primitives::hex;
use serde_json::Value;

use super::*;

fn vectors() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/bls.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn field<T: core::str::FromStr>(vector: &Value, name: &str) -> T {
    let parsed = vector[name].as_str().unwrap().parse();
    parsed.unwrap_or_else(|_| panic!("{name}"))
}

fn signer(text: &str) -> Result<BlsLocalSigner, KeyError> {
    BlsLocalSigner::from_hex(&SecretText::new(text.to_owned()))
}

#[test]
fn keys_and_signatures_are_those_of_another_implementation() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 8);
    for vector in &vectors {
        let signer = signer(vector["secret"].as_str().unwrap()).unwrap();
        let (root, expected) = (field(vector, "root"), field(vector, "signature"));
        let public_key: BlsPublicKey = field(vector, "publicKey");
        assert_eq!(signer.public_key(), public_key);
        assert_eq!(signer.sign_root(root).unwrap(), expected);
        assert_eq!(verify_bls(root, &expected, &signer.public_key()), Ok(()));
    }
}

#[test]
fn a_signature_is_that_of_one_key_under_one_root() {
    let (one, two) = (
        signer(&"01".repeat(32)).unwrap(),
        signer(&"02".repeat(32)).unwrap(),
    );
    let root = B256::repeat_byte(3);
    let signature = one.sign_root(root).unwrap();
    let (key, mismatch) = (one.public_key(), Err(InvalidBlsSignature::Mismatch));
    assert_eq!(verify_bls(root, &signature, &key), Ok(()));
    assert_eq!(verify_bls(root, &signature, &two.public_key()), mismatch);
    assert_eq!(verify_bls(B256::ZERO, &signature, &key), mismatch);
}

#[test]
fn what_is_no_point_is_named() {
    let signer = signer(&"01".repeat(32)).unwrap();
    let signature = signer.sign_root(B256::ZERO).unwrap();
    let key = signer.public_key();
    let (mut infinite_key, mut infinite_signature) = (BlsPublicKey::ZERO, BlsSignature::ZERO);
    infinite_key[0] = 0xc0;
    infinite_signature[0] = 0xc0;
    let no_key = Err(InvalidBlsSignature::PublicKey);
    let no_signature = Err(InvalidBlsSignature::Signature);
    for wrong in [BlsPublicKey::ZERO, infinite_key] {
        assert_eq!(verify_bls(B256::ZERO, &signature, &wrong), no_key);
    }
    for wrong in [BlsSignature::ZERO, infinite_signature] {
        assert_eq!(verify_bls(B256::ZERO, &wrong, &key), no_signature);
    }
}

#[test]
fn neither_zero_nor_the_order_is_a_key_and_no_print_shows_one() {
    let order = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    for text in ["00".repeat(32).as_str(), order] {
        let error = signer(text).unwrap_err();
        assert!(
            matches!(error, KeyError::Text(InvalidKey::OutOfRangeOfBls)),
            "{error}"
        );
    }
    let secret = "05".repeat(32);
    let signer = signer(&secret).unwrap();
    let printed = format!("{signer:?} {:?}", signer.key);
    assert!(!printed.contains(&secret), "{printed}");
    assert!(
        printed.contains(&hex::encode(signer.public_key())),
        "{printed}"
    );
}

#[test]
fn a_key_of_one_curve_does_not_sign_on_the_other() {
    let generate = |key_type| KeyBytes::generate(key_type).unwrap();
    assert!(BlsLocalSigner::from_key(generate(KeyType::Secp256k1)).is_err());
    assert!(crate::LocalSigner::from_key(generate(KeyType::Bls)).is_err());
    assert!(BlsLocalSigner::from_key(generate(KeyType::Bls)).is_ok());
    assert!(crate::LocalSigner::from_key(generate(KeyType::Secp256k1)).is_ok());
}

#[test]
fn a_public_key_is_a_point_of_its_group_and_not_infinity() {
    let key = [7; 32];
    let text = SecretText::new(alloy_primitives::hex::encode(key));
    let sound = BlsLocalSigner::from_hex(&text).unwrap().public_key();
    check_bls_public_key(&sound).unwrap();
    let mut infinity = BlsPublicKey::ZERO;
    infinity[0] = 0xc0;
    for unsound in [BlsPublicKey::ZERO, BlsPublicKey::repeat_byte(7), infinity] {
        let refused = check_bls_public_key(&unsound).unwrap_err();
        assert_eq!(refused, InvalidBlsSignature::PublicKey);
    }
}
