//! Durations as an operator writes them.

use std::time::Duration;

/// What a bare number stands for.
#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Seconds,
}

/// A block time: whole seconds, a bare number is seconds (`2`, `2s`, `2000ms`).
///
/// # Errors
/// What is wrong with the text, which is named.
pub fn block_time(text: &str) -> Result<u64, String> {
    let millis = millis(text, Unit::Seconds)?;
    if millis % 1000 != 0 {
        return Err(format!(
            "block time {text:?} is a fraction of a second: OP Stack timestamps are whole seconds"
        ));
    }
    match millis / 1000 {
        0 => Err("block time must be at least 1s".to_owned()),
        seconds => Ok(seconds),
    }
}

/// A flashblock interval: a bare number is milliseconds, at least 50 (`200`, `200ms`, `0.25s`).
///
/// # Errors
/// What is wrong with the text, which is named.
pub fn flashblock_interval(text: &str) -> Result<Duration, String> {
    let millis = millis(text, Unit::Milliseconds)?;
    if millis < 50 {
        return Err(format!(
            "flashblock interval {text:?} is below the least, 50ms"
        ));
    }
    Ok(Duration::from_millis(millis))
}

/// Any duration; a bare number is milliseconds.
///
/// # Errors
/// What is wrong with the text, which is named.
pub fn milliseconds(text: &str) -> Result<Duration, String> {
    millis(text, Unit::Milliseconds).map(Duration::from_millis)
}

fn millis(text: &str, bare: Unit) -> Result<u64, String> {
    let trimmed = text.trim();
    let (number, unit) = if let Some(number) = trimmed.strip_suffix("ms") {
        (number, Unit::Milliseconds)
    } else if let Some(number) = trimmed.strip_suffix('s') {
        (number, Unit::Seconds)
    } else {
        (trimmed, bare)
    };
    let malformed = || format!("{text:?} is not a duration: write for example 200ms or 2s");
    let (whole, fraction) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(malformed());
    }
    let whole: u64 = whole.parse().map_err(|_| malformed())?;
    match unit {
        Unit::Milliseconds if fraction.bytes().any(|byte| byte != b'0') => {
            Err(format!("{text:?} is a fraction of a millisecond"))
        }
        Unit::Milliseconds => Ok(whole),
        Unit::Seconds => {
            let padded = format!("{fraction:0<3}");
            let (millis, rest) = padded.split_at(3);
            if rest.bytes().any(|byte| byte != b'0') {
                return Err(format!("{text:?} is a fraction of a millisecond"));
            }
            let millis: u64 = millis.parse().map_err(|_| malformed())?;
            whole
                .checked_mul(1000)
                .and_then(|sum| sum.checked_add(millis))
                .ok_or_else(malformed)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn block_times_are_whole_seconds() {
        assert_eq!(block_time("2"), Ok(2));
        assert_eq!(block_time("2s"), Ok(2));
        assert_eq!(block_time("1000ms"), Ok(1));
        assert_eq!(block_time("2.000"), Ok(2));
        assert!(block_time("0").unwrap_err().contains("at least 1s"));
        for fraction in ["0.5", "1.5s", "250ms", "1500ms"] {
            assert!(
                block_time(fraction).unwrap_err().contains(fraction),
                "{fraction}"
            );
        }
    }

    #[test]
    fn flashblock_intervals_are_milliseconds() {
        assert_eq!(flashblock_interval("200"), Ok(Duration::from_millis(200)));
        assert_eq!(flashblock_interval("0.25s"), Ok(Duration::from_millis(250)));
        assert_eq!(flashblock_interval("50ms"), Ok(Duration::from_millis(50)));
        assert!(flashblock_interval("49").unwrap_err().contains("50ms"));
        assert!(
            flashblock_interval("0.0001s")
                .unwrap_err()
                .contains("fraction")
        );
    }

    #[test]
    fn malformed_durations_are_refused() {
        for text in [
            "",
            "s",
            "ms",
            "-1",
            "1h",
            "1.2.3",
            "18446744073709551615s",
            " ",
        ] {
            assert!(milliseconds(text).is_err(), "{text:?}");
        }
    }
}
