use std::path::Path;

use super::*;
use crate::{InvalidKey, KeyFile, PasswordSource};

const PUBLISHED: &str = "testpassword";
const FANCY: &str = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
const WEB3_KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const EIP_2335_KEY: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
const OURS: &str = "correct horse";
const SECP256K1_KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
const BLS_KEY: &str = "25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866";

fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

fn opened(text: &str, password: &str) -> Result<String, KeystoreError> {
    let key = Keystore::parse(text)?.open(&secret(password))?;
    Ok(key.to_hex().expose().to_owned())
}

#[test]
fn the_published_examples_open() {
    for (name, password, key) in [
        ("web3-published-pbkdf2.json", PUBLISHED, WEB3_KEY),
        ("web3-published-scrypt.json", PUBLISHED, WEB3_KEY),
        ("eip2335-published-pbkdf2.json", FANCY, EIP_2335_KEY),
        ("eip2335-published-scrypt.json", FANCY, EIP_2335_KEY),
    ] {
        assert_eq!(opened(&text(name), password).unwrap(), key, "{name}");
    }
}

#[test]
fn keystores_of_other_programs_open_and_name_their_keys() {
    for name in ["v3-scrypt.json", "v3-pbkdf2.json"] {
        assert_eq!(opened(&text(name), OURS).unwrap(), SECP256K1_KEY, "{name}");
        let said = Keystore::parse(&text(name)).unwrap().address().unwrap();
        let expected = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
        assert_eq!(said.to_string(), expected, "{name}");
    }
    for name in ["v4-scrypt.json", "v4-pbkdf2.json"] {
        assert_eq!(opened(&text(name), OURS).unwrap(), BLS_KEY, "{name}");
        let keystore = Keystore::parse(&text(name)).unwrap();
        assert!(keystore.bls_public_key().is_some() && keystore.address().is_none());
    }
}

#[test]
fn a_password_of_eip_2335_is_normalised_and_without_control_characters() {
    let expected = hex::decode("7465737470617373776f7264f09f9491").unwrap();
    for same in [FANCY, "testpassword🔑", "\u{7f}test\u{9f}pass\u{0}word🔑\n"] {
        assert_eq!(*eip2335::password_bytes(same), expected, "{same:?}");
    }
    // The character that becomes the most.
    assert_eq!(eip2335::password_bytes("\u{fdfa}").len(), 33);
}

#[test]
fn what_is_sealed_opens_and_differs_each_time() {
    for key_type in [KeyType::Secp256k1, KeyType::Bls] {
        let key = KeyBytes::generate(key_type).unwrap();
        for function in [KdfFunction::Scrypt, KdfFunction::Pbkdf2] {
            let seal = || Keystore::seal(&key, &secret(OURS), function, KdfCost::Light).unwrap();
            let (one, two) = (seal(), seal());
            assert!(one.ciphertext != two.ciphertext && one.iv != two.iv);
            let json = one.to_json().unwrap();
            let read = Keystore::parse(&json).unwrap();
            assert_eq!(read, one);
            let back = read.open(&secret(OURS)).unwrap();
            assert_eq!(back.expose(), key.expose());
            assert_eq!(back.key_type(), key_type);
            assert_eq!(
                read.open(&secret("Correct horse")).unwrap_err(),
                KeystoreError::Password
            );
            assert!(!json.contains(key.to_hex().expose()));
        }
    }
}

#[test]
fn a_change_anywhere_is_noticed() {
    for (name, fields) in [
        ("v3-pbkdf2.json", ["ciphertext", "mac", "salt"]),
        ("v4-pbkdf2.json", ["cipher", "checksum", "salt"]),
    ] {
        let json: Value = serde_json::from_str(&text(name)).unwrap();
        for field in fields {
            let mut json = json.clone();
            let value = match field {
                "cipher" | "checksum" => &mut json["crypto"][field]["message"],
                "salt" if json["version"] == 3 => &mut json["crypto"]["kdfparams"]["salt"],
                "salt" => &mut json["crypto"]["kdf"]["params"]["salt"],
                _ => &mut json["crypto"][field],
            };
            flip(value);
            let said = opened(&json.to_string(), OURS);
            assert_eq!(said, Err(KeystoreError::Password), "{name} {field}");
        }
        // The checksum does not cover these; the key's own name does.
        let mut json = json.clone();
        match name {
            "v3-pbkdf2.json" => flip(&mut json["crypto"]["cipherparams"]["iv"]),
            _ => flip(&mut json["pubkey"]),
        }
        assert_eq!(
            opened(&json.to_string(), OURS),
            Err(KeystoreError::OtherKey)
        );
    }
}

/// Changes the lowest bit of the last hex digit.
fn flip(value: &mut Value) {
    let text = value.as_str().unwrap();
    let (rest, last) = text.split_at(text.len() - 1);
    let digit = u8::from_str_radix(last, 16).unwrap() ^ 1;
    *value = format!("{rest}{digit:x}").into();
}

#[test]
fn what_is_wrong_is_named_and_not_repeated() {
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut json: Value = serde_json::from_str(&text(name)).unwrap();
        change(&mut json);
        opened(&json.to_string(), OURS).unwrap_err()
    };
    let v3 = |change: &dyn Fn(&mut Value)| changed("v3-scrypt.json", change);
    let v4 = |change: &dyn Fn(&mut Value)| changed("v4-pbkdf2.json", change);
    let cases = [
        (v3(&|json| json["version"] = 5.into()), "version 5"),
        (v3(&|json| json["version"] = "3".into()), "`version`"),
        (v3(&|json| json["crypto"] = Value::Null), "`crypto.cipher`"),
        (
            v3(&|json| json["crypto"]["mac"] = SECP256K1_KEY[2..].into()),
            "`crypto.mac`",
        ),
        (
            v3(&|json| json["crypto"]["cipher"] = "aes-128-cbc".into()),
            "`crypto.cipher`",
        ),
        (
            v3(&|json| json["crypto"]["kdf"] = "argon2".into()),
            "`crypto.kdf`",
        ),
        (
            v3(&|json| json["address"] = SECP256K1_KEY.into()),
            "`address`",
        ),
        (
            v3(&|json| json["crypto"]["kdfparams"]["n"] = (1_u64 << 40).into()),
            "`crypto.kdfparams.n`",
        ),
        (
            v3(&|json| json["crypto"]["kdfparams"]["n"] = 4095.into()),
            "`crypto.kdfparams.n`",
        ),
        (
            v3(&|json| json["crypto"]["kdfparams"]["p"] = u64::MAX.into()),
            "`crypto.kdfparams.p`",
        ),
        (
            v3(&|json| json["crypto"]["kdfparams"]["r"] = 0.into()),
            "`crypto.kdfparams.r`",
        ),
        (
            v3(&|json| json["crypto"]["kdfparams"]["dklen"] = 16.into()),
            "`crypto.kdfparams.dklen`",
        ),
        (
            v4(&|json| json["crypto"]["kdf"]["params"]["c"] = 0.into()),
            "`crypto.kdf.params.c`",
        ),
        (
            v4(&|json| json["crypto"]["kdf"]["params"]["c"] = u64::MAX.into()),
            "`crypto.kdf.params.c`",
        ),
        (
            v4(&|json| json["crypto"]["kdf"]["params"]["prf"] = "hmac-md5".into()),
            "`crypto.kdf.params.prf`",
        ),
        (
            v4(&|json| json["crypto"]["checksum"]["function"] = "md5".into()),
            "`crypto.checksum.function`",
        ),
        (
            v4(&|json| json["crypto"]["cipher"]["params"]["iv"] = "zz".into()),
            "`crypto.cipher.params.iv`",
        ),
    ];
    for (error, expected) in cases {
        let said = error.to_string();
        assert!(said.contains(expected), "{said}, not {expected}");
        assert!(!said.contains(&SECP256K1_KEY[2..]), "{said}");
    }
    let broken = format!("{{\"version\": 3,\n \"{SECP256K1_KEY}");
    let error = opened(&broken, OURS).unwrap_err();
    assert!(
        matches!(error, KeystoreError::NotJson { line: 2, .. }),
        "{error}"
    );
    assert!(!error.to_string().contains(SECP256K1_KEY));
}

#[test]
fn bytes_that_are_no_key_are_refused_after_they_are_opened() {
    let key = KeyBytes::generate(KeyType::Secp256k1).unwrap();
    let light = (KdfFunction::Pbkdf2, KdfCost::Light);
    let mut keystore = Keystore::seal(&key, &secret(OURS), light.0, light.1).unwrap();
    let derived = keystore.kdf.derive(OURS.as_bytes());
    keystore.ciphertext = [0; 32];
    apply_cipher(&derived, &keystore.iv, &mut keystore.ciphertext);
    keystore.checksum = web3::checksum(&derived, &keystore.ciphertext);
    assert_eq!(
        keystore.open(&secret(OURS)).unwrap_err(),
        KeystoreError::Key(InvalidKey::OutOfRange)
    );
}

#[test]
fn identifiers_are_uuids() {
    assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
}

#[cfg(unix)]
mod files {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;
    use crate::write_secret;

    fn file(folder: &tempfile::TempDir, name: &str, content: &str) -> PathBuf {
        let path = folder.path().join(name);
        write_secret(&path, &secret(content)).unwrap();
        path
    }

    #[test]
    fn one_loader_tells_hex_from_keystores() {
        let folder = tempfile::tempdir().unwrap();
        let password = PasswordSource::File(file(&folder, "password", &format!("{OURS}\r\n")));
        let load = |path: &Path, key_type, password: &PasswordSource| {
            KeyFile::open(path)?
                .key(key_type, password)
                .map(|key| key.to_hex().expose().to_owned())
        };
        let raw = file(&folder, "raw", &format!("0x{SECP256K1_KEY}"));
        let v3 = file(&folder, "v3", &format!(" \n{}", text("v3-scrypt.json")));
        let v4 = file(&folder, "v4", &text("v4-scrypt.json"));
        let (secp, bls) = (KeyType::Secp256k1, KeyType::Bls);
        let absent = PasswordSource::Absent;
        assert_eq!(load(&raw, secp, &absent).unwrap(), SECP256K1_KEY);
        assert_eq!(load(&raw, bls, &absent).unwrap(), SECP256K1_KEY);
        assert_eq!(load(&v3, secp, &password).unwrap(), SECP256K1_KEY);
        assert_eq!(load(&v4, bls, &password).unwrap(), BLS_KEY);
        for (path, key_type, password, expected) in [
            (&raw, secp, &password, "is not encrypted"),
            (&v3, secp, &absent, "a password file is needed"),
            (
                &v3,
                bls,
                &password,
                "a key of type secp256k1, bls is needed",
            ),
            (
                &v4,
                secp,
                &password,
                "a key of type bls, secp256k1 is needed",
            ),
        ] {
            let said = load(path, key_type, password).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
            assert!(said.contains(path.to_str().unwrap()), "{said}");
        }
        let wrong = PasswordSource::File(file(&folder, "wrong", "battery staple"));
        let said = load(&v3, secp, &wrong).unwrap_err().to_string();
        assert!(said.contains("the password is wrong"), "{said}");
        assert!(!said.contains("battery"), "{said}");
        let empty = PasswordSource::File(file(&folder, "empty", ""));
        assert!(matches!(
            load(&v3, secp, &empty),
            Err(KeyError::PasswordEmpty)
        ));
    }

    #[test]
    fn keystores_and_passwords_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = file(&folder, "v3", &text("v3-scrypt.json"));
        let password = file(&folder, "password", OURS);
        for path in [&keystore, &password] {
            let written = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(written & 0o7777, 0o600);
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o640)).unwrap();
            let source = PasswordSource::File(password.clone());
            let said = LocalSigner::open(&keystore, &source).unwrap_err();
            assert!(matches!(&said, KeyError::Mode { path: named, .. } if named == path));
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
        }
        // What is there stays.
        let again = write_secret(&keystore, &secret("other")).unwrap_err();
        assert!(matches!(again, KeyError::Write { .. }), "{again}");
        let source = PasswordSource::File(password);
        assert!(LocalSigner::open(&keystore, &source).is_ok());
    }
}
