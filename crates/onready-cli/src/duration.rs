//! Times as people write them: `90s`, `1m 30s`, `250ms`, and a plain number of seconds, as in timeout(1).

use std::time::Duration;

/// The time that a text means; `0` is no time at all.
///
/// # Errors
/// It is no time; the message shows what would be one.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let wrong = || format!("\"{text}\" is no time; write 90s, 1m 30s, 250ms, or a number of seconds");
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain {
        let seconds: f64 = text.parse().map_err(|_| wrong())?;
        return Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    }
    humantime::parse_duration(text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood() {
        let cases = [
            ("90s", 90_000),
            ("1m 30s", 90_000),
            ("250ms", 250),
            ("5", 5_000),
            ("0.5", 500),
            ("0.5s", 500),
            ("1.5m", 90_000),
            ("0", 0),
            ("2h", 7_200_000),
        ];
        for (text, ms) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        for text in ["", "x", "-5", "5 parsecs", "1.2.3s", "-0.5s", "1e400", ".", "99999999999999999999999"] {
            assert!(parse(text).is_err_and(|why| why.contains("90s")), "{text}");
        }
    }
}
