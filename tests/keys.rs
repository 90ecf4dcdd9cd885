//! `blockwright keys` through the binary: keystores of others open, ours open elsewhere, and what is wrong
//! is named without a word of what is secret.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use support::process::binary;

const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
const ADDRESS: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
const BLS_KEY: &str = "25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866";
const PASSWORD: &str = "correct horse";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.file("password", &format!("{PASSWORD}\n"));
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    /// A file made by another program.
    fn vector(&self, name: &str) -> String {
        self.file(name, &vector(name))
    }

    /// `--password-file` and the file.
    fn password(&self) -> [String; 2] {
        ["--password-file".to_owned(), self.path("password")]
    }
}

fn vector(name: &str) -> String {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path: PathBuf = package.join("../../crates/signer/tests/vectors").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn vectors(name: &str) -> Vec<Value> {
    serde_json::from_str(&vector(name)).unwrap()
}

/// Whether it succeeded, what it printed, and what it complained of.
fn keys(args: &[&str], input: &str) -> (bool, String, String) {
    let mut child = binary()
        .arg("keys")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who refuses its arguments may be gone before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    for secret in [KEY, BLS_KEY, PASSWORD] {
        assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
    }
    (output.status.success(), out, err)
}

fn done(args: &[&str]) -> String {
    let (success, out, err) = keys(args, "");
    assert!(success, "{args:?}: {err}");
    out
}

fn refused(args: &[&str]) -> String {
    let (success, out, err) = keys(args, "");
    assert!(!success, "{args:?}: {out}");
    assert_eq!(out, "", "{args:?}");
    err
}

fn field<'a>(output: &'a str, name: &str) -> &'a str {
    let line = output.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {output}"))
        .trim_start_matches(": ")
}

fn mode(path: &str) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_new_key_signs_and_is_shown_and_verified() {
    let folder = Folder::new();
    let [flag, password] = &folder.password();
    let digest = "11".repeat(32);
    for (key_type, kdf, owner) in [
        ("secp256k1", "scrypt", "address"),
        ("bls", "pbkdf2", "public_key"),
    ] {
        let out = folder.path(key_type);
        let made = done(&[
            "new",
            "--type",
            key_type,
            "--out",
            &out,
            "--kdf",
            kdf,
            "--light-kdf",
            flag,
            password,
        ]);
        assert_eq!(mode(&out), 0o600);
        assert_eq!(field(&made, "type"), key_type);
        let json: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        assert!(json["version"] == 3 || json["version"] == 4);
        // Checked, and as the file says.
        let owner_is = field(&made, owner);
        let shown = done(&["show", "--key", &out, flag, password]);
        assert_eq!(shown, made);
        let unchecked = done(&["show", "--key", &out]);
        assert_eq!(field(&unchecked, owner), owner_is);
        for subject in [["--digest", digest.as_str()], ["--message", "hello"]] {
            let [kind, what] = subject;
            let signature = done(&["sign", "--key", &out, flag, password, kind, what]);
            let signature = signature.trim();
            let named = format!("--{}", owner.replace('_', "-"));
            let verify = |what: &str, signature: &str| {
                keys(
                    &[
                        "verify",
                        kind,
                        what,
                        "--signature",
                        signature,
                        &named,
                        owner_is,
                    ],
                    "",
                )
            };
            let (valid, out, err) = verify(what, signature);
            assert!(valid, "{err}");
            assert_eq!(field(&out, owner), owner_is);
            let other = if kind == "--digest" {
                "22".repeat(32)
            } else {
                "hallo".to_owned()
            };
            let (valid, _, err) = verify(&other, signature);
            assert!(!valid && err.contains("the signature is "), "{err}");
        }
    }
}

#[test]
fn signatures_are_those_of_other_programs() {
    let folder = Folder::new();
    let [flag, password] = &folder.password();
    for keystore in ["v3-scrypt.json", "v3-pbkdf2.json"] {
        let keystore = folder.vector(keystore);
        for vector in vectors("eip191.json") {
            let message = vector["message"].as_str().unwrap();
            let args = [
                "sign",
                "--key",
                &keystore,
                flag,
                password,
                "--message",
                message,
            ];
            assert_eq!(done(&args).trim(), vector["signature"]);
        }
    }
    let keystore = folder.vector("v4-scrypt.json");
    let mut compared = 0;
    for vector in vectors("bls.json") {
        let [root, signature, public_key] =
            ["root", "signature", "publicKey"].map(|name| vector[name].as_str().unwrap());
        let verify = ["verify", "--digest", root, "--signature", signature];
        let out = done(&[&verify[..], &["--public-key", public_key]].concat());
        assert_eq!(field(&out, "public_key"), public_key);
        if vector["secret"] == BLS_KEY {
            let args = ["sign", "--key", &keystore, flag, password, "--digest", root];
            assert_eq!(done(&args).trim(), signature);
            compared += 1;
        }
    }
    assert_eq!(compared, 2);
}

#[test]
fn a_key_is_imported_from_hex_and_from_keystores() {
    let folder = Folder::new();
    let [flag, password] = &folder.password();
    let import = |out: &str, more: &[&str], input: &str| {
        let args = ["import", "--out", out, "--light-kdf", flag, password];
        let (success, out, err) = keys(&[&args[..], more].concat(), input);
        assert!(success, "{err}");
        out
    };
    let from_hex = folder.path("from-hex");
    let shown = import(&from_hex, &[], &format!("0x{KEY}\n"));
    assert_eq!(field(&shown, "address"), ADDRESS);
    let published = folder.vector("web3-published-pbkdf2.json");
    let other = folder.file("other-password", "testpassword");
    let again = folder.path("again");
    let given = ["--in", &published, "--in-password-file", &other];
    let shown = import(&again, &given, "");
    assert_eq!(done(&["show", "--key", &again, flag, password]), shown);
    let bls = folder.path("bls");
    let shown = import(
        &bls,
        &["--in-password-file", password],
        &vector("v4-pbkdf2.json"),
    );
    assert_eq!(field(&shown, "type"), "bls");
    // Back to hex.
    let raw = folder.path("raw");
    let args = [
        "import",
        "--in",
        &from_hex,
        "--in-password-file",
        password,
        "--out",
        &raw,
        "--raw",
    ];
    let (success, _, err) = keys(&args, "");
    assert!(success && err.contains("not encrypted"), "{err}");
    assert_eq!(std::fs::read_to_string(&raw).unwrap().trim(), KEY);
    assert_eq!(mode(&raw), 0o600);
    assert_eq!(field(&done(&["show", "--key", &raw]), "address"), ADDRESS);
}

#[test]
fn a_key_that_is_not_encrypted_signs_with_a_warning() {
    let folder = Folder::new();
    let raw = folder.file("raw", KEY);
    let digest = "11".repeat(32);
    for key_type in ["secp256k1", "bls"] {
        let args = [
            "sign", "--key", &raw, "--type", key_type, "--digest", &digest,
        ];
        let (success, out, err) = keys(&args, "");
        assert!(success, "{err}");
        assert_eq!(out.lines().count(), 1, "{out}");
        assert!(err.contains("not encrypted") && err.contains(&raw), "{err}");
    }
    // What is encrypted is not warned of.
    let [flag, password] = &folder.password();
    let keystore = folder.path("keystore");
    done(&[
        "import",
        "--in",
        &raw,
        "--out",
        &keystore,
        "--light-kdf",
        flag,
        password,
    ]);
    let args = [
        "sign", "--key", &keystore, "--digest", &digest, flag, password,
    ];
    let (success, _, err) = keys(&args, "");
    assert!(success && err.is_empty(), "{err}");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = Folder::new();
    let [flag, password] = &folder.password();
    let keystore = folder.vector("v3-scrypt.json");
    let text = vector("v3-scrypt.json");
    let show = |path: &str| refused(&["show", "--key", path, flag, password]);
    let wrong = folder.file("wrong", "battery staple");
    let digest = "11".repeat(32);
    let said = refused(&["show", "--key", &keystore, flag, &wrong]);
    assert!(said.contains("the password is wrong"), "{said}");
    for (name, content, expected) in [
        (
            "version",
            text.replace("\"version\": 3", "\"version\": 7"),
            "version 7",
        ),
        (
            "damaged",
            text.replace("\"mac\"", "\"mad\""),
            "`crypto.mac`",
        ),
        ("cut", text[..text.len() / 2].to_owned(), "no JSON"),
        ("empty", String::new(), "32 bytes in hex"),
    ] {
        let path = folder.file(name, &content);
        let said = match name {
            "empty" => refused(&["show", "--key", &path]),
            _ => show(&path),
        };
        assert!(said.contains(expected) && said.contains(&path), "{said}");
    }
    let sign = ["sign", "--key", &keystore, "--digest", &digest];
    let said = refused(&sign);
    assert!(said.contains("a password file is needed"), "{said}");
    let said = refused(&[&sign[..], &["--type", "bls", flag, password]].concat());
    assert!(said.contains("bls is needed"), "{said}");
    let absent = folder.path("absent");
    let said = refused(&["new", "--out", &absent]);
    assert!(
        said.contains("needed for the new key file") && said.contains(&absent),
        "{said}"
    );
    let said = refused(&["new", "--out", &keystore, flag, password]);
    assert!(
        said.contains("--out") && said.contains("not touched"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&keystore).unwrap(), text);
    for path in [&keystore, password] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
        let said = show(&keystore);
        assert!(
            said.contains("0644") && said.contains(path.as_str()),
            "{said}"
        );
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    let verify = ["verify", "--digest", &digest, "--signature"];
    let bls = "11".repeat(96);
    for (args, expected) in [
        (&["0x1234"][..], "65 bytes are expected"),
        (&[&bls], "--public-key is missing"),
        (&["0x1234", "--type", "bls"], "--public-key is missing"),
    ] {
        let said = refused(&[&verify[..], args].concat());
        assert!(said.contains(expected), "{said}");
    }
}
