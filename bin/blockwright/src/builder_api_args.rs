//! The flags of the builder API.

use std::net::IpAddr;
use std::path::PathBuf;

use alloy_primitives::Address;
use blockwright_launch::{BuilderApiSettings, KeySource, SecretText, TlsFiles, VersionNames};
use clap::Args;

use crate::args::LOOPBACK;
use crate::secret_arg::secret;

#[derive(Debug, Args)]
#[command(next_help_heading = "Builder API")]
pub(crate) struct BuilderApiArgs {
    /// Signed payloads for proposers: interface.
    #[arg(long = "builder-api.addr", env = "BLOCKWRIGHT_BUILDER_API_ADDR", default_value = LOOPBACK)]
    addr: IpAddr,
    /// Signed payloads for proposers: port, 0 for a free one (default: 28545 in `dev`; in `node` there is
    /// no builder API without it).
    #[arg(
        long = "builder-api.port",
        env = "BLOCKWRIGHT_BUILDER_API_PORT",
        value_name = "PORT"
    )]
    port: Option<u16>,
    /// File with the secp256k1 key that signs bids: a Web3 keystore, or for development 32 bytes in hex;
    /// mode 0600 or less (default in `dev`: the last development account's, which everybody knows).
    #[arg(
        long = "builder-api.secp-key",
        env = "BLOCKWRIGHT_BUILDER_API_SECP_KEY",
        value_name = "FILE"
    )]
    secp_key: Option<PathBuf>,
    /// File with the password of the keystore, mode 0600 or less (default: asked for at the terminal).
    #[arg(
        long = "builder-api.secp-key-password-file",
        env = "BLOCKWRIGHT_BUILDER_API_SECP_KEY_PASSWORD_FILE",
        value_name = "FILE"
    )]
    secp_key_password_file: Option<PathBuf>,
    /// The key itself, for development alone: prefer the file.
    #[arg(long = "builder-api.secp-key-hex", env = "BLOCKWRIGHT_BUILDER_API_SECP_KEY_HEX",
          hide_env_values = true, value_name = "HEX", value_parser = secret)]
    secp_key_hex: Option<SecretText>,
    /// Address of a proposer that may have payloads; may be repeated, separated by commas, or in the file
    /// a list (default: everybody may).
    #[arg(
        long = "builder-api.proposer",
        env = "BLOCKWRIGHT_BUILDER_API_PROPOSER",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    proposer: Vec<Address>,
    /// Names of payload versions: those that proposers of today accept (legacy), or the forks' own (named).
    #[arg(long = "builder-api.version-names", env = "BLOCKWRIGHT_BUILDER_API_VERSION_NAMES",
          default_value_t = VersionNames::Legacy, value_name = "legacy|named")]
    version_names: VersionNames,
    /// PEM file of the certificate chain to serve payloads with TLS; needs --builder-api.tls-key.
    #[arg(
        id = "builder-api.tls-cert",
        long = "builder-api.tls-cert",
        env = "BLOCKWRIGHT_BUILDER_API_TLS_CERT",
        value_name = "FILE"
    )]
    tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's private key; needs --builder-api.tls-cert.
    #[arg(
        id = "builder-api.tls-key",
        long = "builder-api.tls-key",
        env = "BLOCKWRIGHT_BUILDER_API_TLS_KEY",
        value_name = "FILE"
    )]
    tls_key: Option<PathBuf>,
}

impl BuilderApiArgs {
    /// The builder API's settings.
    pub(crate) fn settings(self) -> BuilderApiSettings {
        BuilderApiSettings {
            addr: self.addr,
            port: self.port,
            secp_key: KeySource {
                file: self.secp_key,
                password_file: self.secp_key_password_file,
                hex: self.secp_key_hex,
            },
            proposers: self.proposer,
            version_names: self.version_names,
            tls: TlsFiles {
                cert: self.tls_cert,
                key: self.tls_key,
            },
            ..BuilderApiSettings::default()
        }
    }
}
