//! `blockwright node`.

use blockwright_launch::start_node;

use crate::args::NodeArgs;
use crate::logging::{self, Voice};
use crate::run::{self, ShutdownSignals};

pub(crate) fn run(args: NodeArgs) -> eyre::Result<()> {
    let voice = if args.process().json {
        Voice::Json
    } else {
        Voice::Text
    };
    logging::init(args.process(), voice)?;
    let chain = args.chain.clone();
    let config = args.into_config();
    run::block_on(async move {
        let mut signals = ShutdownSignals::new()?;
        let node = start_node(&chain, config).await?;
        signals.received().await;
        node.stop().await;
        Ok(())
    })
}
