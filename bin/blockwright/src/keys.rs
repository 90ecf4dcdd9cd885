//! `blockwright keys`: makes, stores, shows and tries the builder's keys.

mod args;
pub(crate) use args::KeysArgs;

use std::io::{IsTerminal, Read};
use std::path::Path;

use alloy_primitives::{B256, eip191_hash_message, hex};
use blockwright_launch::{KeyFlags, KeySource};
use blockwright_signer::{
    BlsLocalSigner, BlsSignature, BlsSigner, KeyBytes, KeyFile, KeyType, Keystore, LocalSigner,
    PasswordSource, SecretText, Signature, Signer, recover, verify_bls, write_secret,
};
use eyre::{WrapErr, bail, ensure, eyre};

use args::{ImportArgs, KeyArgs, KeysVerb, SignArgs, SubjectArgs, TargetArgs, VerifyArgs};

/// What wallets add to the recovery id of a signed message.
const WALLET_RECOVERY_ID: u8 = 27;
const BLS_SIGNATURE_BYTES: usize = 96;
/// More is no key.
const INPUT_BYTES_MAX: u64 = 64 * 1024;

const KEY: KeyFlags = KeyFlags {
    file: "--key",
    password_file: "--password-file",
    // There is no such flag.
    hex: "--key",
};

pub(crate) fn run(args: KeysArgs) -> eyre::Result<()> {
    match args.verb {
        KeysVerb::New(args) => {
            let key_type = args.key_type.unwrap_or(KeyType::Secp256k1);
            store(KeyBytes::generate(key_type)?, &args.target)
        }
        KeysVerb::Import(args) => import(args),
        KeysVerb::Show(args) => show(args.key),
        KeysVerb::Sign(args) => sign(args),
        KeysVerb::Verify(args) => verify(&args),
    }
}

fn import(args: ImportArgs) -> eyre::Result<()> {
    let file = match &args.input {
        Some(path) => KeyFile::open(path)?,
        None => KeyFile::from_text(Path::new("standard input"), standard_input()?)?,
    };
    let key_type = type_of(&file, args.key_type);
    let password = PasswordSource::file_or_terminal(args.in_password_file);
    store(file.key(key_type, &password)?, &args.target)
}

fn standard_input() -> eyre::Result<SecretText> {
    let stdin = std::io::stdin();
    ensure!(
        !stdin.is_terminal(),
        "the key would be seen on the terminal: give it by --in, or by a pipe"
    );
    // It does not grow, which would leave copies.
    let mut text = String::with_capacity(INPUT_BYTES_MAX as usize);
    let read = stdin.take(INPUT_BYTES_MAX).read_to_string(&mut text);
    let text = SecretText::new(text);
    read.wrap_err("standard input")?;
    Ok(text)
}

/// Writes the key and says whose it is.
fn store(key: KeyBytes, target: &TargetArgs) -> eyre::Result<()> {
    if target.raw {
        eprintln!(
            "warning: {} is not encrypted, which is for development alone",
            target.out.display()
        );
        write_secret(&target.out, &key.to_hex())?;
    } else {
        ensure!(
            !target.out.exists(),
            "--out {}: there is such a file, which is not touched",
            target.out.display()
        );
        let source = PasswordSource::file_or_terminal(target.password_file.clone());
        let password = source.new_password(&target.out)?;
        let (function, cost) = target.kdf();
        let keystore = Keystore::seal(&key, &password, function, cost)?;
        write_secret(&target.out, &SecretText::new(keystore.to_json()?))?;
    }
    print_owner(key)
}

fn show(args: KeyArgs) -> eyre::Result<()> {
    let file = KeyFile::open(&args.key)?;
    let key_type = type_of(&file, args.key_type);
    let said = file
        .keystore()
        .filter(|keystore| args.password_file.is_none() && keystore.key_type() == key_type);
    if let Some(keystore) = said {
        let lines = match (keystore.address(), keystore.bls_public_key()) {
            (Some(address), _) => Some(format!("address: {address}")),
            (None, Some(public_key)) => Some(format!("public_key: {public_key}")),
            (None, None) => None,
        };
        if let Some(line) = lines {
            eprintln!("note: as the keystore says; with --password-file it is checked");
            println!("type: {key_type}\n{line}");
            return Ok(());
        }
    }
    let password = PasswordSource::file_or_terminal(args.password_file);
    print_owner(file.key(key_type, &password)?)
}

fn sign(SignArgs { key, subject }: SignArgs) -> eyre::Result<()> {
    crate::logging::init_warnings()?;
    let key_type = type_of(&KeyFile::open(&key.key)?, key.key_type);
    let digest = digest(&subject)?;
    let source = KeySource {
        file: Some(key.key),
        password_file: key.password_file,
        hex: None,
    };
    let missing = || eyre!("--key is missing");
    match key_type {
        KeyType::Secp256k1 => {
            let signer = source.signer(KEY)?.ok_or_else(missing)?;
            let mut signature = signer.sign(digest)?;
            if subject.message.is_some() {
                signature[64] += WALLET_RECOVERY_ID;
            }
            println!("{signature}");
        }
        KeyType::Bls => {
            let signer = source.bls_signer(KEY)?.ok_or_else(missing)?;
            println!("{}", signer.sign_root(digest)?);
        }
    }
    Ok(())
}

fn verify(args: &VerifyArgs) -> eyre::Result<()> {
    let implied = match args.public_key {
        Some(_) => KeyType::Bls,
        None => KeyType::Secp256k1,
    };
    let key_type = args.key_type.unwrap_or(implied);
    let digest = digest(&args.subject)?;
    match key_type {
        KeyType::Secp256k1 => {
            ensure!(
                args.public_key.is_none(),
                "--public-key is for bls: secp256k1 has --address"
            );
            ensure!(
                args.signature.len() != BLS_SIGNATURE_BYTES,
                "--signature: 96 bytes are a bls signature, which does not tell its key: --public-key is missing"
            );
            let mut signature = Signature::try_from(args.signature.as_ref())
                .map_err(|_| eyre!("--signature: 65 bytes are expected"))?;
            if signature[64] >= WALLET_RECOVERY_ID {
                signature[64] -= WALLET_RECOVERY_ID;
            }
            let signer = recover(digest, &signature).wrap_err("--signature")?;
            if let Some(wanted) = args.address.filter(|wanted| *wanted != signer) {
                bail!("the signature is that of {signer}, not of {wanted}");
            }
            println!("address: {signer}");
        }
        KeyType::Bls => {
            let Some(public_key) = args.public_key else {
                bail!("--public-key is missing: a bls signature does not tell its key");
            };
            let signature = BlsSignature::try_from(args.signature.as_ref())
                .map_err(|_| eyre!("--signature: 96 bytes are expected"))?;
            verify_bls(digest, &signature, &public_key)?;
            println!("public_key: {public_key}");
        }
    }
    Ok(())
}

/// The type wanted, or the one that the file has.
fn type_of(file: &KeyFile, wanted: Option<KeyType>) -> KeyType {
    wanted
        .or_else(|| file.keystore().map(Keystore::key_type))
        .unwrap_or(KeyType::Secp256k1)
}

/// What is signed: never a text as it is, which could be a root or a hash with a meaning of its own.
fn digest(subject: &SubjectArgs) -> eyre::Result<B256> {
    match (subject.digest, &subject.message) {
        (Some(digest), _) => Ok(digest),
        (None, Some(message)) => Ok(eip191_hash_message(message)),
        (None, None) => bail!("--digest or --message is missing"),
    }
}

fn print_owner(key: KeyBytes) -> eyre::Result<()> {
    let key_type = key.key_type();
    println!("type: {key_type}");
    match key_type {
        KeyType::Secp256k1 => {
            let signer = LocalSigner::from_key(key)?;
            println!("address: {}", signer.address());
            println!("public_key: {}", hex::encode_prefixed(signer.public_key()));
        }
        KeyType::Bls => println!(
            "public_key: {}",
            BlsLocalSigner::from_key(key)?.public_key()
        ),
    }
    Ok(())
}
