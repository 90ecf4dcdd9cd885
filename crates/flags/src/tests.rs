use std::collections::BTreeSet;

use clap::{Args, Command, CommandFactory, FromArgMatches, Parser};

use crate::{BuilderApiArgs, BuilderArgs, ContentArgs, PaymentArgs, StreamArgs, StreamListenArgs};

#[derive(Debug, Parser)]
struct Ours {
    #[command(flatten)]
    builder: BuilderArgs,
    #[command(flatten)]
    listen: StreamListenArgs,
    #[command(flatten)]
    stream: StreamArgs,
    #[command(flatten)]
    content: ContentArgs,
    #[command(flatten)]
    builder_api: BuilderApiArgs,
    #[command(flatten)]
    payment: PaymentArgs,
}

/// Flags of op-reth that begin as ours do.
const THEIRS: &[&str] = &[
    "builder.gaslimit",
    "builder.extradata",
    "builder.interval",
    "builder.deadline",
    "builder.max-tasks",
    "builder.max-blobs",
    "builder.disallow",
    "flashblocks-url",
    "flashblock-consensus",
];
/// Groups of flags that are op-reth's alone.
const THEIR_GROUPS: &[&str] = &[
    "rollup.", "txpool.", "metrics", "datadir", "http.", "ws.", "authrpc.", "rpc.", "engine.",
];

fn flags(command: &Command) -> impl Iterator<Item = (&str, &str)> {
    command.get_arguments().filter_map(|argument| {
        let long = argument.get_long()?;
        (long != "help").then_some((argument.get_id().as_str(), long))
    })
}

#[test]
fn an_argument_is_known_by_its_flag() {
    let command = Ours::command();
    assert!(flags(&command).count() > 40);
    for (id, long) in flags(&command) {
        assert_eq!(id, long);
    }
}

#[test]
fn no_flag_is_one_of_op_reths() {
    let command = Ours::command();
    for (_, long) in flags(&command) {
        assert!(!THEIRS.contains(&long), "--{long}");
        let foreign = THEIR_GROUPS.iter().find(|group| long.starts_with(**group));
        assert_eq!(foreign, None, "--{long}");
    }
}

/// Fields and structs of another command line that are named as some of ours.
#[derive(Debug, Args)]
#[group(id = "BuilderArgs")]
struct Theirs {
    #[arg(long = "builder.interval", default_value = "1s")]
    addr: String,
    #[arg(long = "http.port", default_value_t = 1)]
    port: u16,
    #[arg(long = "metrics", default_value = "")]
    tls_cert: String,
}

#[test]
fn the_groups_stand_beside_others() {
    let command = Theirs::augment_args(Ours::command());
    command.clone().debug_assert();
    let arguments = [
        "x",
        "--flashblocks.port=7",
        "--http.port=8",
        "--flashblocks.tls-cert=a",
        "--builder-api.tls-cert=b",
    ];
    let Ok(matches) = command.try_get_matches_from(arguments) else {
        panic!("refused");
    };
    let (Ok(ours), Ok(theirs)) = (
        Ours::from_arg_matches(&matches),
        Theirs::from_arg_matches(&matches),
    ) else {
        panic!("not understood");
    };
    assert_eq!((ours.listen.listen().port, theirs.port), (7, 8));
    assert_eq!(theirs.addr, "1s");
    assert_eq!(theirs.tls_cert, "");
    let (stream, api) = (ours.stream.settings(), ours.builder_api.settings());
    let given = |cert: Option<std::path::PathBuf>| cert.map(|path| path.display().to_string());
    assert_eq!(given(stream.tls.cert).as_deref(), Some("a"));
    assert_eq!(given(api.tls.cert).as_deref(), Some("b"));
    let ids: BTreeSet<_> = flags(&Ours::command())
        .map(|(id, _)| id.to_owned())
        .collect();
    assert!(ids.iter().all(|id| id.contains('.')), "{ids:?}");
}
