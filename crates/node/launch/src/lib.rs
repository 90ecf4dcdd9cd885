#![doc = include_str!("../README.md")]

mod config;
pub use config::{ApiSettings, DevConfig, Listeners, NodeConfig, RpcLimits, TxPoolConfig};

mod datadir;

mod dev;
pub use dev::{DEV_MNEMONIC, DevAccount, dev_accounts, run_dev_clock, start_dev};

mod endpoints;
pub use endpoints::{Bound, Endpoints};

mod error;
pub use error::LaunchError;

mod follow;
pub use follow::FollowSettings;

mod forwarding;
pub use forwarding::ForwardSettings;

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

mod servers;

pub use blockwright_flashblocks::{Dialect, Form, MetadataDetail};
pub use blockwright_forward::TargetUrl;
pub use blockwright_outlets::{
    BuilderApiSettings, BuilderConfig, KeyFlags, KeySource, Listen, OutletError, PaymentSettings,
    StreamSettings, TlsFiles,
};
pub use blockwright_rpc::{Namespace, Placeholders, Source};
pub use blockwright_signer::{BlsPublicKey, SecretText};
pub use blockwright_subscribe::StreamKey;
pub use blockwright_types::{OpFork, SealedBlock};
