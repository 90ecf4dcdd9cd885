//! The TOML file: its keys are the flags' names, so that one parser and one set of error messages
//! serve command line, environment and file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use clap::ArgAction;
use eyre::{WrapErr, bail};
use toml::Value;

/// Puts what the file at `path` says in front of the arguments of `verb`. A flag given on the command
/// line stands behind and wins; a key whose environment variable is set is left out, so that the
/// variable wins. In the command that is returned the elements of the file's lists stay whole, whatever is
/// in them.
pub(crate) fn expand(
    command: clap::Command,
    arguments: Vec<OsString>,
    path: &Path,
) -> eyre::Result<(clap::Command, Vec<OsString>)> {
    let text = std::fs::read_to_string(path)
        .wrap_err_with(|| format!("config file {} cannot be read", path.display()))?;
    let table: toml::Table = toml::from_str(&text)
        .wrap_err_with(|| format!("config file {} is not TOML", path.display()))?;
    let mut keys = BTreeMap::new();
    flatten("", &Value::Table(table), &mut keys);

    let Some(position) = verb_position(&command, &arguments) else {
        return Ok((command, arguments));
    };
    let verb = command
        .find_subcommand(&arguments[position])
        .ok_or_else(|| eyre::eyre!("unknown verb {:?}", arguments[position]))?;
    if verb
        .get_arguments()
        .all(|argument| argument.get_id() != "config")
    {
        // BLOCKWRIGHT_CONFIG is for the verbs that run a node.
        return Ok((command, arguments));
    }
    let mut lists = Vec::new();
    let mut expanded: Vec<OsString> = arguments[..=position].to_vec();
    for (key, value) in keys {
        let flags =
            flag(verb, &key, &value).wrap_err_with(|| format!("config file {}", path.display()))?;
        // Of a flag that may be repeated, those of the command line would join the file's.
        if !(is_repeatable(verb, &key) && is_given(&key, &arguments[position + 1..])) {
            if value.is_array() && !flags.is_empty() {
                lists.push(key);
            }
            expanded.extend(flags);
        }
    }
    expanded.extend_from_slice(&arguments[position + 1..]);
    let name = verb.get_name().to_owned();
    // Neither the command line nor the environment gives these.
    let command = command.mut_subcommand(name, |verb| {
        verb.mut_args(|argument| {
            let is_list = argument
                .get_long()
                .is_some_and(|long| lists.iter().any(|key| key == long));
            if is_list {
                argument.value_delimiter(None)
            } else {
                argument
            }
        })
    });
    Ok((command, expanded))
}

fn is_repeatable(verb: &clap::Command, key: &str) -> bool {
    verb.get_arguments().any(|argument| {
        argument.get_long() == Some(key) && matches!(argument.get_action(), ArgAction::Append)
    })
}

/// Whether the command line has this flag.
fn is_given(key: &str, arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .any(|argument| {
            argument
                .strip_prefix("--")
                .is_some_and(|flag| flag.split('=').next() == Some(key))
        })
}

fn verb_position(command: &clap::Command, arguments: &[OsString]) -> Option<usize> {
    arguments
        .iter()
        .enumerate()
        .skip(1)
        .find(|(_, argument)| command.find_subcommand(argument).is_some())
        .map(|(position, _)| position)
}

fn flatten(prefix: &str, value: &Value, keys: &mut BTreeMap<String, Value>) {
    let Value::Table(table) = value else {
        keys.insert(prefix.to_owned(), value.clone());
        return;
    };
    for (name, inner) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        flatten(&key, inner, keys);
    }
}

fn flag(verb: &clap::Command, key: &str, value: &Value) -> eyre::Result<Vec<OsString>> {
    let Some(argument) = verb
        .get_arguments()
        .find(|argument| argument.get_long() == Some(key))
    else {
        bail!("unknown key `{key}` for `blockwright {}`", verb.get_name());
    };
    if argument
        .get_env()
        .is_some_and(|name| std::env::var_os(name).is_some())
    {
        return Ok(Vec::new());
    }
    let takes_value = argument.get_action().takes_values();
    let one = |text: String| vec![OsString::from(format!("--{key}={text}"))];
    Ok(match value {
        Value::Boolean(true) if !takes_value => vec![OsString::from(format!("--{key}"))],
        Value::Boolean(false) if !takes_value => Vec::new(),
        _ if !takes_value => bail!("key `{key}` must be true or false"),
        Value::String(text) => one(text.clone()),
        Value::Integer(number) => one(number.to_string()),
        Value::Float(number) => one(number.to_string()),
        Value::Boolean(flag) => one(flag.to_string()),
        Value::Array(values) if matches!(argument.get_action(), ArgAction::Append) => {
            let mut flags = Vec::new();
            for value in values {
                flags.extend(flag(verb, key, value)?);
            }
            flags
        }
        Value::Array(_) | Value::Table(_) | Value::Datetime(_) => {
            bail!("key `{key}` must be a string, a number or a boolean")
        }
    })
}
