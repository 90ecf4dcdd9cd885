//! The flags of the builder API.

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;

use alloy_primitives::{Address, B256, FixedBytes};
use blockwright_outlets::{
    AttributesUrl, BlsPublicKey, BuilderApiSettings, ChainDomain, KeySource, SecretText, TlsFiles,
    VersionNames,
};
use clap::Args;

use crate::{LOOPBACK, secret};

/// What is for proposers and other builders.
#[derive(Debug, Args)]
#[group(id = "blockwright.builder-api")]
#[command(next_help_heading = "Builder API")]
pub struct BuilderApiArgs {
    /// Signed payloads for proposers: interface.
    #[arg(id = "builder-api.addr", long = "builder-api.addr", env = "BLOCKWRIGHT_BUILDER_API_ADDR", default_value = LOOPBACK)]
    addr: IpAddr,
    /// Signed payloads for proposers: port, 0 for a free one (default: 28545 in `dev`; in `node` there is
    /// no builder API without it).
    #[arg(
        id = "builder-api.port",
        long = "builder-api.port",
        env = "BLOCKWRIGHT_BUILDER_API_PORT",
        value_name = "PORT"
    )]
    port: Option<u16>,
    /// File with the secp256k1 key that signs bids: a Web3 keystore, or for development 32 bytes in hex;
    /// mode 0600 or less (default in `dev`: the last development account's, which everybody knows).
    #[arg(
        id = "builder-api.secp-key",
        long = "builder-api.secp-key",
        env = "BLOCKWRIGHT_BUILDER_API_SECP_KEY",
        value_name = "FILE"
    )]
    secp_key: Option<PathBuf>,
    /// File with the password of the keystore, mode 0600 or less (default: asked for at the terminal).
    #[arg(
        id = "builder-api.secp-key-password-file",
        long = "builder-api.secp-key-password-file",
        env = "BLOCKWRIGHT_BUILDER_API_SECP_KEY_PASSWORD_FILE",
        value_name = "FILE"
    )]
    secp_key_password_file: Option<PathBuf>,
    /// The key itself, for development alone: prefer the file.
    #[arg(id = "builder-api.secp-key-hex", long = "builder-api.secp-key-hex", env = "BLOCKWRIGHT_BUILDER_API_SECP_KEY_HEX",
          hide_env_values = true, value_name = "HEX", value_parser = secret)]
    secp_key_hex: Option<SecretText>,
    /// Address of a proposer that may have payloads; may be repeated, separated by commas, or in the file
    /// a list (default: everybody may).
    #[arg(
        id = "builder-api.proposer",
        long = "builder-api.proposer",
        env = "BLOCKWRIGHT_BUILDER_API_PROPOSER",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    proposer: Vec<Address>,
    /// File with the BLS key that signs headers (`builder_` namespace): a keystore of EIP-2335, or for
    /// development 32 bytes in hex; mode 0600 or less (default in `dev`: a key that everybody knows; in `node`
    /// no headers are handed out without it).
    #[arg(
        id = "builder-api.bls-key",
        long = "builder-api.bls-key",
        env = "BLOCKWRIGHT_BUILDER_API_BLS_KEY",
        value_name = "FILE"
    )]
    bls_key: Option<PathBuf>,
    /// File with the password of that keystore, mode 0600 or less (default: asked for at the terminal).
    #[arg(
        id = "builder-api.bls-key-password-file",
        long = "builder-api.bls-key-password-file",
        env = "BLOCKWRIGHT_BUILDER_API_BLS_KEY_PASSWORD_FILE",
        value_name = "FILE"
    )]
    bls_key_password_file: Option<PathBuf>,
    /// The BLS key itself, for development alone: prefer the file.
    #[arg(id = "builder-api.bls-key-hex", long = "builder-api.bls-key-hex", env = "BLOCKWRIGHT_BUILDER_API_BLS_KEY_HEX",
          hide_env_values = true, value_name = "HEX", value_parser = secret)]
    bls_key_hex: Option<SecretText>,
    /// BLS public key of a proposer that may register a fee recipient and have headers and blocks by the
    /// `builder_` namespace; may be repeated, separated by commas, or in the file a list (default: whoever
    /// names its key, or nobody where --builder-api.proposer is given).
    #[arg(
        id = "builder-api.proposer-bls",
        long = "builder-api.proposer-bls",
        env = "BLOCKWRIGHT_BUILDER_API_PROPOSER_BLS",
        value_name = "KEY",
        value_delimiter = ','
    )]
    proposer_bls: Vec<BlsPublicKey>,
    /// Fork version in the domains of BLS signatures, 4 bytes in hex; proposers must have the same.
    #[arg(
        id = "builder-api.fork-version",
        long = "builder-api.fork-version",
        env = "BLOCKWRIGHT_BUILDER_API_FORK_VERSION",
        default_value = "0x00000000",
        value_name = "HEX"
    )]
    fork_version: FixedBytes<4>,
    /// Root of the genesis validators in the domains of BLS signatures, 32 bytes in hex; proposers must have the
    /// same.
    #[arg(
        id = "builder-api.genesis-validators-root",
        long = "builder-api.genesis-validators-root",
        env = "BLOCKWRIGHT_BUILDER_API_GENESIS_VALIDATORS_ROOT",
        default_value = "0x0000000000000000000000000000000000000000000000000000000000000000",
        value_name = "HEX"
    )]
    genesis_validators_root: B256,
    /// Names of payload versions: those that proposers of today accept (legacy), or the forks' own (named).
    #[arg(id = "builder-api.version-names", long = "builder-api.version-names", env = "BLOCKWRIGHT_BUILDER_API_VERSION_NAMES",
          default_value_t = VersionNames::Legacy, value_name = "legacy|named")]
    version_names: VersionNames,
    /// Signed payloads for proposers: requests a second from one address on average; twice as many at once.
    #[arg(id = "builder-api.max-rate", long = "builder-api.max-rate", env = "BLOCKWRIGHT_BUILDER_API_MAX_RATE", default_value_t = 100,
          value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_rate: u32,
    /// PEM file of the certificate chain to serve payloads and the stream of payload attributes with TLS; needs
    /// --builder-api.tls-key.
    #[arg(
        id = "builder-api.tls-cert",
        long = "builder-api.tls-cert",
        env = "BLOCKWRIGHT_BUILDER_API_TLS_CERT",
        value_name = "FILE"
    )]
    tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's private key, mode 0600 or less; needs --builder-api.tls-cert.
    #[arg(
        id = "builder-api.tls-key",
        long = "builder-api.tls-key",
        env = "BLOCKWRIGHT_BUILDER_API_TLS_KEY",
        value_name = "FILE"
    )]
    tls_key: Option<PathBuf>,
    /// Stream of the payload attributes that the Engine API gives this node: port, 0 for a free one
    /// (default: 9546 in `dev`; in `node` there is no such stream without it).
    #[arg(
        id = "builder-api.events-port",
        long = "builder-api.events-port",
        env = "BLOCKWRIGHT_BUILDER_API_EVENTS_PORT",
        value_name = "PORT"
    )]
    events_port: Option<u16>,
    /// Stream of payload attributes to build by, `http://host:9546` or `https://…` for instance; may be repeated,
    /// separated by commas, or in the file a list.
    #[arg(
        id = "builder-api.attributes-url", long = "builder-api.attributes-url",
        env = "BLOCKWRIGHT_BUILDER_API_ATTRIBUTES_URL",
        hide_env_values = true,
        value_name = "URL",
        value_delimiter = ',',
        value_parser = attributes_url
    )]
    attributes_url: Vec<AttributesUrl>,
    /// PEM file of certificate authorities to believe beside the system's, for https:// streams of payload
    /// attributes.
    #[arg(
        id = "builder-api.attributes-ca",
        long = "builder-api.attributes-ca",
        env = "BLOCKWRIGHT_BUILDER_API_ATTRIBUTES_CA",
        value_name = "FILE"
    )]
    attributes_ca: Option<PathBuf>,
    /// Answer `engine_getPayload` as if no payload were known, so that the builder's own consensus client
    /// publishes none of its blocks; proposers get them by the builder API and the `builder_` namespace.
    #[arg(id = "builder-api.disable-get-payload", long = "builder-api.disable-get-payload", env = "BLOCKWRIGHT_BUILDER_API_DISABLE_GET_PAYLOAD",
          value_parser = clap::builder::FalseyValueParser::new())]
    disable_get_payload: bool,
}

/// Takes any text: what is wrong with a URL is said without repeating it.
#[allow(clippy::unnecessary_wraps)]
fn attributes_url(text: &str) -> Result<AttributesUrl, Infallible> {
    Ok(AttributesUrl::new(text))
}

impl BuilderApiArgs {
    /// The builder API's settings.
    pub fn settings(self) -> BuilderApiSettings {
        BuilderApiSettings {
            addr: self.addr,
            port: self.port,
            secp_key: KeySource {
                file: self.secp_key,
                password_file: self.secp_key_password_file,
                hex: self.secp_key_hex,
            },
            proposers: self.proposer,
            bls_key: KeySource {
                file: self.bls_key,
                password_file: self.bls_key_password_file,
                hex: self.bls_key_hex,
            },
            bls_proposers: self.proposer_bls,
            domain: ChainDomain {
                fork_version: self.fork_version,
                genesis_validators_root: self.genesis_validators_root,
            },
            version_names: self.version_names,
            requests_per_second_max: self.max_rate,
            tls: TlsFiles {
                cert: self.tls_cert,
                key: self.tls_key,
            },
            events_port: self.events_port,
            attributes_urls: self.attributes_url,
            attributes_ca: self.attributes_ca,
            withholds_payloads: self.disable_get_payload,
            ..BuilderApiSettings::default()
        }
    }
}
