//! Errors as one line of text.

/// An error with its causes: the outermost alone often says little ("client error"). A cause that is named already is
/// not named twice.
pub fn error_chain(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Failure {
        text: &'static str,
        source: Option<Box<Failure>>,
    }

    #[test]
    fn every_cause_is_named_once() {
        let failure = |text, source| Failure { text, source };
        let inner = failure("refused", None);
        let same = failure("connect: refused", Some(Box::new(inner)));
        let outer = failure("client error", Some(Box::new(same)));
        assert_eq!(error_chain(&outer), "client error: connect: refused");
    }
}
