//! What is on the command line beside op-reth's own arguments.

use std::path::PathBuf;

use blockwright_flags::{
    BuilderApiArgs, BuilderArgs, ContentArgs, PaymentArgs, StreamArgs, StreamListenArgs,
};
use blockwright_outlets::{
    BuilderApiSettings, BuilderConfig, Listen, PaymentSettings, StreamSettings,
};
use clap::Args;
use reth_optimism_node::args::RollupArgs;
use reth_rpc_server_types::{
    DefaultRpcModuleValidator, RethRpcModule, RpcModuleSelection, RpcModuleValidator,
};

/// op-reth's arguments and the builder's.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    #[command(flatten)]
    listen: StreamListenArgs,
    #[command(flatten)]
    stream: StreamArgs,
    #[command(flatten)]
    content: ContentArgs,
    #[command(flatten)]
    builder: BuilderArgs,
    #[command(flatten)]
    payment: PaymentArgs,
    #[command(flatten)]
    builder_api: BuilderApiArgs,
    /// File that tells what really listens, as JSON, once everything does.
    #[arg(
        id = "blockwright.endpoints",
        long = "endpoints",
        env = "BLOCKWRIGHT_ENDPOINTS",
        value_name = "FILE"
    )]
    endpoints: Option<PathBuf>,
}

/// The builder's part of them.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    pub(crate) stream: StreamSettings,
    pub(crate) builder: BuilderConfig,
    pub(crate) payment: PaymentSettings,
    pub(crate) builder_api: BuilderApiSettings,
    pub(crate) endpoints: Option<PathBuf>,
}

impl HostArgs {
    /// op-reth's arguments, and the builder's settings.
    pub(crate) fn split(self) -> (RollupArgs, Settings) {
        let settings = Settings {
            listen: self.listen.listen(),
            stream: self.content.settings(self.stream.settings()),
            builder: self.builder.config(),
            payment: self.payment.settings(),
            builder_api: self.builder_api.settings(),
            endpoints: self.endpoints,
        };
        (self.rollup, settings)
    }
}

/// The namespace of proposers, in `--http.api` and `--ws.api`.
pub(crate) const BUILDER: &str = "builder";

/// Takes op-reth's namespaces and [`BUILDER`].
#[derive(Clone, Debug)]
pub(crate) struct Namespaces;

impl RpcModuleValidator for Namespaces {
    fn parse_selection(text: &str) -> Result<RpcModuleSelection, String> {
        let (ours, others): (Vec<&str>, Vec<&str>) = text
            .split(',')
            .map(str::trim)
            .partition(|name| *name == BUILDER);
        if ours.is_empty() {
            return DefaultRpcModuleValidator::parse_selection(text);
        }
        let mut modules = match others.is_empty() {
            true => Default::default(),
            false => {
                DefaultRpcModuleValidator::parse_selection(&others.join(","))?.into_selection()
            }
        };
        modules.insert(RethRpcModule::Other(BUILDER.to_owned()));
        Ok(RpcModuleSelection::Selection(modules))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;

    #[test]
    fn arguments_of_both_do_not_clash() {
        HostArgs::augment_args(Command::new("node")).debug_assert();
    }

    #[test]
    fn the_namespace_of_proposers_may_be_named_beside_op_reths() {
        let names = |text| Namespaces::parse_selection(text).unwrap().into_selection();
        let ours = RethRpcModule::Other(BUILDER.to_owned());
        assert!(!names("eth,net").contains(&ours));
        assert_eq!(names("eth, builder").len(), 2);
        assert!(names("builder").contains(&ours));
        assert!(Namespaces::parse_selection("eth,bilder").is_err());
    }
}
