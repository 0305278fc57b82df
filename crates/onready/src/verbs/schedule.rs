//! How a server is stopped: signals, and how long its end is waited for after each; the words of start-stop-daemon.
//!
//! # References
//! start-stop-daemon(8): --retry

use crate::error::signal_name;
use rustix::process::Signal;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One signal, and how long to wait for the end after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The signal's number.
    pub signal: i32,
    /// `None`: for ever.
    pub wait: Option<Duration>,
}

/// Signals and times, in their order: `TERM/10s/KILL/5s`.
///
/// Signals are names (`TERM`, `SIGTERM`) or numbers, each followed by the time to wait (`10s`, `500ms`, `1m`, or a
/// number of seconds; `forever`). A single time is short for `TERM/that/KILL/that`. A last signal without a time is
/// waited for as long as after SIGKILL in the default, 5 seconds.
///
/// ```
/// use onready::verbs::Schedule;
/// let schedule: Schedule = "INT/2s/TERM/500ms/KILL/1".parse()?;
/// assert_eq!(schedule.to_string(), "INT/2s/TERM/500ms/KILL/1s");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Step>);

/// How long a server has after SIGTERM.
const TERM_WAIT: Duration = Duration::from_secs(10);
/// How long the kernel has after SIGKILL.
const KILL_WAIT: Duration = Duration::from_secs(5);

impl Default for Schedule {
    /// SIGTERM, 10 seconds, SIGKILL, 5 seconds.
    fn default() -> Schedule {
        Schedule::short(TERM_WAIT, KILL_WAIT)
    }
}

impl Schedule {
    fn short(term: Duration, kill: Duration) -> Schedule {
        Schedule(vec![
            Step { signal: libc::SIGTERM, wait: Some(term) },
            Step { signal: libc::SIGKILL, wait: Some(kill) },
        ])
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

/// What stands between two slashes.
enum Word {
    Signal(i32),
    Wait(Option<Duration>),
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Schedule, String> {
        let wrong =
            |why: &str| format!("\"{text}\" is no schedule: {why}; write signals and times, as TERM/10s/KILL/5s");
        let words: Option<Vec<Word>> = text.split('/').map(word).collect();
        let words = words.ok_or_else(|| wrong("it holds what is neither a signal nor a time"))?;
        if let [Word::Wait(Some(time))] = words[..] {
            return Ok(Schedule::short(time, time));
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut waits = true;
        for word in words {
            match word {
                Word::Signal(signal) if waits => steps.push(Step { signal, wait: Some(KILL_WAIT) }),
                Word::Signal(_) => return Err(wrong("a time is missing between two signals")),
                Word::Wait(wait) => match steps.last_mut().filter(|_| !waits) {
                    Some(step) => step.wait = wait,
                    None => return Err(wrong("a time stands where a signal should")),
                },
            }
            waits = !waits;
        }
        Ok(Schedule(steps))
    }
}

fn word(text: &str) -> Option<Word> {
    if text == "forever" {
        return Some(Word::Wait(None));
    }
    // Numbers are times unless they are marked as signals, as in start-stop-daemon.
    match text.strip_prefix('-') {
        Some(signal) => find_signal(signal).map(Word::Signal),
        None => time(text).map(|time| Word::Wait(Some(time))).or_else(|| find_signal(text).map(Word::Signal)),
    }
}

fn find_signal(text: &str) -> Option<i32> {
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let number = name.parse().ok();
    let named = || (1..=31).find(|&signal| signal_name(signal).strip_prefix("SIG") == Some(name));
    number.or_else(named).filter(|&signal: &i32| Signal::from_named_raw(signal).is_some())
}

/// `10`, `10s`, `500ms`, `1m`, `1m30s`, `0.5s`.
fn time(text: &str) -> Option<Duration> {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return seconds(text);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = number.parse::<f64>().ok()? * unit;
        total = total.checked_add(Duration::try_from_secs_f64(part).ok()?)?;
        rest = tail;
    }
    Some(total)
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            let slash = if n == 0 { "" } else { "/" };
            let name = signal_name(step.signal);
            write!(f, "{slash}{}/", name.strip_prefix("SIG").unwrap_or(&name))?;
            match step.wait {
                None => f.write_str("forever")?,
                Some(time) if time.subsec_millis() == 0 => write!(f, "{}s", time.as_secs())?,
                Some(time) => write!(f, "{}ms", time.as_millis())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<String, String> {
        text.parse().map(|schedule: Schedule| schedule.to_string())
    }

    #[test]
    fn schedules_are_understood() {
        assert_eq!(Schedule::default().to_string(), "TERM/10s/KILL/5s");
        for (text, means) in [
            ("TERM/10s/KILL/5s", "TERM/10s/KILL/5s"),
            ("10", "TERM/10s/KILL/10s"),
            ("1500ms", "TERM/1500ms/KILL/1500ms"),
            ("sigint/2/-9/1m", "INT/2s/KILL/60s"),
            ("-15/0.5/HUP/1m30s/KILL", "TERM/500ms/HUP/90s/KILL/5s"),
            ("QUIT/forever", "QUIT/forever"),
            ("TERM", "TERM/5s"),
            ("TERM/0/KILL/5", "TERM/0s/KILL/5s"),
        ] {
            assert_eq!(parse(text), Ok(means.into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_an_example() {
        for text in [
            "",
            "/",
            "TERM/",
            "/TERM",
            "TERM/KILL",
            "10/TERM",
            "TERM/1/2",
            "TERM/x",
            "FOO/1",
            "-0/1",
            "-99/1",
            "1e9",
            "TERM/-5",
            "forever",
            "TERM/1/forever",
            "TERM/10 s",
            "TERM/99999999999999999999999s",
            "--",
            "-",
            ".",
            "TERM/1.2.3",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains("TERM/10s/KILL/5s"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[-0-9./a-zA-Z]{0,40}") {
            if let Ok(schedule) = text.parse::<Schedule>() {
                prop_assert!(!schedule.steps().is_empty());
                // What is printed means the same, to the millisecond that is printed.
                let again: Schedule = schedule.to_string().parse().expect("our own text");
                prop_assert_eq!(again.to_string(), schedule.to_string());
            }
        }
    }
}
