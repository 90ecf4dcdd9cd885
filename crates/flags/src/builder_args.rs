//! The flags of the builder itself.

use std::time::Duration;

use blockwright_outlets::{BuilderConfig, RootsRule, ShareRule};
use clap::{Args, ValueEnum};

use crate::duration;

/// `--flashblocks.roots`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Roots {
    Every,
    Last,
    None,
}

/// `--flashblocks.share`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Share {
    Even,
    Linear,
}

/// How blocks are built.
#[derive(Debug, Args)]
#[group(id = "blockwright.builder")]
#[command(next_help_heading = "Builder")]
pub struct BuilderArgs {
    /// Interval between flashblocks: a bare number is milliseconds, at least 50.
    #[arg(id = "flashblocks.block-time", long = "flashblocks.block-time", env = "BLOCKWRIGHT_FLASHBLOCKS_BLOCK_TIME",
          default_value = "200ms", value_name = "TIME", value_parser = duration::flashblock_interval)]
    flashblocks_block_time: Duration,
    /// The last flashblock of a block is due this long before the block's timestamp.
    #[arg(id = "flashblocks.end-margin", long = "flashblocks.end-margin", env = "BLOCKWRIGHT_FLASHBLOCKS_END_MARGIN",
          default_value = "75ms", value_name = "TIME", value_parser = duration::milliseconds)]
    flashblocks_end_margin: Duration,
    /// Flashblocks that carry state root and block hash beside index 0: every, last (the last one
    /// planned) or none. A block that is handed out has them in any case.
    #[arg(
        id = "flashblocks.roots", long = "flashblocks.roots",
        env = "BLOCKWRIGHT_FLASHBLOCKS_ROOTS",
        value_enum,
        default_value_t = Roots::Every,
        value_name = "RULE"
    )]
    flashblocks_roots: Roots,
    /// Share of the block's capacity that flashblock i of F may have filled: even (i/F) or linear
    /// (i(i+1)/2F).
    #[arg(
        id = "flashblocks.share", long = "flashblocks.share",
        env = "BLOCKWRIGHT_FLASHBLOCKS_SHARE",
        value_enum,
        default_value_t = Share::Even,
        value_name = "RULE"
    )]
    flashblocks_share: Share,
    /// A flashblock that is not ready this long before the block's timestamp is not published any
    /// more, 0ms for no such limit. For sidecars that seal from the flashblocks they have seen.
    #[arg(id = "flashblocks.publish-by", long = "flashblocks.publish-by", env = "BLOCKWRIGHT_FLASHBLOCKS_PUBLISH_BY",
          default_value = "0ms", value_name = "TIME", value_parser = duration::milliseconds)]
    flashblocks_publish_by: Duration,
    /// Largest estimated compressed size of a transaction in bytes, 0 for no limit
    /// (miner_setMaxDASize changes it at run time).
    #[arg(
        id = "builder.max-da-tx-size",
        long = "builder.max-da-tx-size",
        env = "BLOCKWRIGHT_BUILDER_MAX_DA_TX_SIZE",
        default_value_t = 0,
        value_name = "BYTES"
    )]
    max_da_tx_size: u64,
    /// Largest estimated compressed size of a block in bytes, 0 for no limit.
    #[arg(
        id = "builder.max-da-block-size",
        long = "builder.max-da-block-size",
        env = "BLOCKWRIGHT_BUILDER_MAX_DA_BLOCK_SIZE",
        default_value_t = 0,
        value_name = "BYTES"
    )]
    max_da_block_size: u64,
    /// First byte of payload ids: 3 for rollup-boost up to 0.7.16, 4 from 0.7.17.
    #[arg(id = "builder.payload-id-version", long = "builder.payload-id-version", env = "BLOCKWRIGHT_BUILDER_PAYLOAD_ID_VERSION",
          default_value_t = 3, value_name = "3|4", value_parser = clap::value_parser!(u8).range(3..=4))]
    payload_id_version: u8,
}

impl BuilderArgs {
    /// The settings.
    pub const fn config(&self) -> BuilderConfig {
        BuilderConfig {
            flashblock_interval: self.flashblocks_block_time,
            end_margin: self.flashblocks_end_margin,
            roots: match self.flashblocks_roots {
                Roots::Every => RootsRule::Every,
                Roots::Last => RootsRule::Last,
                Roots::None => RootsRule::None,
            },
            share: match self.flashblocks_share {
                Share::Even => ShareRule::Even,
                Share::Linear => ShareRule::Linear,
            },
            publish_by: self.flashblocks_publish_by,
            da_tx_bytes_max: self.max_da_tx_size,
            da_block_bytes_max: self.max_da_block_size,
            payload_id_version: self.payload_id_version,
        }
    }
}
