//! The configuration reference in the book is made from the command line's own definition; the test
//! fails when the two part. `UPDATE_DOCS=1 cargo test -p blockwright reference` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use clap::CommandFactory;

use crate::args::Cli;

const INTRODUCTION: &str = "\
# Configuration reference

Every setting has one name and three places: a flag (`--http.port 8545`), an environment variable
(`BLOCKWRIGHT_HTTP_PORT=8545`) and a key of the TOML file given with `--config` (`http.port = 8545`, or
`port` in a table `[http]`). The command line wins over the environment, the environment over the file.
Times take `ms` or `s`. The verbs of `bench`, `keys` and `builder` read no file.
";

fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    let command = Cli::command();
    // Flags of the verbs that run a node are shared; those of a family of verbs are its own.
    let (families, nodes): (Vec<_>, Vec<_>) = command
        .get_subcommands()
        .partition(|verb| verb.has_subcommands());
    let mut seen = BTreeMap::new();
    for (position, verb) in nodes.into_iter().enumerate() {
        let shared = match (position, verb.get_name()) {
            (0, _) => "",
            (_, "watch") => " (which has no others)",
            (_, "mirror") => {
                " (and, from above, those of the process, the stream's subscribers, `flashblocks.addr`, \
                 `flashblocks.port`, `metrics.addr` and `metrics.port`)"
            }
            _ => " (and everything above that is not of `dev` alone)",
        };
        section(&mut text, (verb.get_name(), shared), verb, &mut seen);
    }
    for family in families {
        let mut seen = BTreeMap::new();
        for (position, verb) in family.get_subcommands().enumerate() {
            let shared = match position {
                0 => "",
                _ => " (and what is above, where `--help` lists it)",
            };
            let name = format!("{} {}", family.get_name(), verb.get_name());
            section(&mut text, (&name, shared), verb, &mut seen);
        }
    }
    text
}

/// Writes the flags of `verb` that are not among those `seen` before.
fn section(
    text: &mut String,
    (name, shared): (&str, &str),
    verb: &clap::Command,
    seen: &mut BTreeMap<String, String>,
) {
    let mut rows = String::new();
    for argument in verb.get_arguments() {
        // What has no flag but a variable is named as `--help` names it.
        let flag = match (argument.get_long(), argument.get_value_names()) {
            (Some(long), _) => format!("--{long}"),
            (None, Some([name, ..])) if argument.get_env().is_some() => name.to_string(),
            (None, _) => continue,
        };
        let variable = argument
            .get_env()
            .map(|name| name.to_string_lossy().into_owned());
        let variable = variable.unwrap_or_else(|| panic!("{flag} has no variable"));
        let default = argument
            .get_default_values()
            .iter()
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect::<Vec<_>>()
            .join(" ");
        let help = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let help = help.replace('|', "\\|");
        let row = format!("| `{flag}` | `{variable}` | {default} | {help} |\n");
        if seen.insert(flag, row.clone()).as_ref() != Some(&row) {
            rows.push_str(&row);
        }
    }
    if rows.is_empty() {
        return;
    }
    write!(text, "\n## `blockwright {name}`{shared}\n\n").unwrap();
    text.push_str("| flag | variable | default | meaning |\n|---|---|---|---|\n");
    text.push_str(&rows);
}

#[test]
fn the_book_lists_every_setting() {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let path = Path::new(&package).join("../../docs/configuration.md");
    let wanted = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        found, wanted,
        "run with UPDATE_DOCS=1 to write the reference anew"
    );
}

#[test]
fn every_variable_is_named_after_its_flag() {
    for verb in Cli::command().get_subcommands() {
        // What several verbs share has one name; a verb of its own kind has its own names.
        let own = verb.get_name() == "watch";
        names(
            verb,
            if own {
                "BLOCKWRIGHT_WATCH_"
            } else {
                "BLOCKWRIGHT_"
            },
        );
        let family = format!("BLOCKWRIGHT_{}_", verb.get_name().to_uppercase());
        for inner in verb.get_subcommands() {
            names(inner, &family);
        }
    }
}

fn names(verb: &clap::Command, prefix: &str) {
    for argument in verb.get_arguments() {
        let (Some(long), Some(variable)) = (argument.get_long(), argument.get_env()) else {
            continue;
        };
        let name = long.to_uppercase().replace(['.', '-'], "_");
        assert_eq!(variable.to_string_lossy(), format!("{prefix}{name}"));
    }
}
