//! Secrets among the arguments.

use std::convert::Infallible;

use blockwright_launch::SecretText;

/// Takes any text: what is wrong with a key is said without repeating it, which the parser's errors
/// would do.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn secret(text: &str) -> Result<SecretText, Infallible> {
    Ok(SecretText::new(text.to_owned()))
}
