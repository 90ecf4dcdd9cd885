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
Times take `ms` or `s`.
";

fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for verb in Cli::command().get_subcommands() {
        let mut rows = String::new();
        for argument in verb.get_arguments() {
            let Some(long) = argument.get_long() else {
                continue;
            };
            let variable = argument
                .get_env()
                .map(|name| name.to_string_lossy().into_owned());
            let variable = variable.unwrap_or_else(|| panic!("--{long} has no variable"));
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
            let row = format!("| `--{long}` | `{variable}` | {default} | {help} |\n");
            if seen.insert(long.to_owned(), row.clone()).as_ref() != Some(&row) {
                rows.push_str(&row);
            }
        }
        let shared = if seen.len() > rows.lines().count() {
            " (and everything above that is not of `dev` alone)"
        } else {
            ""
        };
        let name = verb.get_name();
        write!(text, "\n## `blockwright {name}`{shared}\n\n").unwrap();
        text.push_str("| flag | variable | default | meaning |\n|---|---|---|---|\n");
        text.push_str(&rows);
    }
    text
}

#[test]
fn the_book_lists_every_setting() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
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
        for argument in verb.get_arguments() {
            let (Some(long), Some(variable)) = (argument.get_long(), argument.get_env()) else {
                continue;
            };
            let expected = format!(
                "BLOCKWRIGHT_{}",
                long.to_uppercase().replace(['.', '-'], "_")
            );
            assert_eq!(variable.to_string_lossy(), expected);
        }
    }
}
