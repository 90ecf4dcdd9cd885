//! Secrets among the arguments.

use std::convert::Infallible;

use blockwright_outlets::SecretText;

/// Takes any text: what is wrong with a key is said without repeating it, which the parser's errors
/// would do.
///
/// # Errors
/// None.
#[allow(clippy::unnecessary_wraps)]
pub fn secret(text: &str) -> Result<SecretText, Infallible> {
    Ok(SecretText::new(text.to_owned()))
}
