#![doc = include_str!("../README.md")]

mod attributes;

mod builder_api;
pub use builder_api::BuilderApiSettings;

mod builder_rpc;

mod config;
pub use config::{
    ApiSettings, BuilderConfig, DevConfig, Listen, Listeners, NodeConfig, RpcLimits, TxPoolConfig,
};

mod datadir;

mod dev;
pub use dev::{DEV_MNEMONIC, DevAccount, dev_accounts, run_dev_clock, start_dev};

mod endpoints;
pub use endpoints::{Bound, Endpoints};

mod error;
pub use error::LaunchError;

mod flag;

mod follow;
pub use follow::FollowSettings;

mod forwarding;
pub use forwarding::ForwardSettings;

mod key_source;
pub use key_source::KeySource;

mod metrics_server;

mod mirror;
pub use mirror::{MirrorEndpoints, MirrorSettings, RunningMirror, start_mirror};

mod node;
pub use node::{Node, start_node};

mod outlets;

mod overlay;
pub use overlay::PendingSettings;

mod rollup_builder;
pub use rollup_builder::RollupBuilderSettings;

mod payment;
pub use payment::PaymentSettings;

mod proposer_outlets;

mod server_runtime;

mod servers;

mod stream;
pub use stream::StreamSettings;

mod tls_files;
pub use tls_files::TlsFiles;

pub use blockwright_attributes::AttributesUrl;
pub use blockwright_builder_codec::{ChainDomain, VersionNames};
pub use blockwright_flashblocks::{Dialect, Form, MetadataDetail};
pub use blockwright_forward::TargetUrl;
pub use blockwright_payment::PaymentTerms;
pub use blockwright_rpc::{Namespace, Placeholders, Source};
pub use blockwright_service::{RootsRule, ShareRule};
pub use blockwright_signer::{BlsPublicKey, SecretText};
pub use blockwright_stream::{ApiKey, RingLimits};
pub use blockwright_subscribe::StreamKey;
pub use blockwright_types::{OpFork, SealedBlock};
