//! From what was seen to the flags that go by it.

use onready::engine::{End, describe, human};
use onready::verbs::command_text;
use std::time::Duration;

/// What was seen of a server.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// All of it, for the table.
    pub seen: Vec<(Duration, String)>,
    /// It was watched for the whole time.
    pub watched: bool,
    /// When READY=1 came.
    pub said_ready: Option<Duration>,
    /// When the first notify message came.
    pub spoke: Option<Duration>,
    /// When it first listened, and where.
    pub listened: Option<(Duration, String)>,
    /// Whether it could speak sd_notify.
    pub could_speak: bool,
    /// When a line came on descriptor 3.
    pub line: Option<Duration>,
    /// When it had put itself into the background.
    pub background: Option<Duration>,
    /// How it ended.
    pub exited: Option<(Duration, End)>,
    /// The last line that it wrote before it was quiet.
    pub last_line: Option<String>,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Advice {
    /// The flags; none at all if it cannot be started in any way.
    pub flags: Option<Vec<String>>,
    /// Why.
    pub reasons: Vec<String>,
}

fn advice(flags: &[&str], reasons: Vec<String>) -> Advice {
    Advice { flags: Some(flags.iter().map(ToString::to_string).collect()), reasons }
}

/// How long before or after.
fn gap(time: Duration) -> String {
    if time < Duration::from_millis(1) { "right".into() } else { human(time) }
}

/// The surest sign first: its own word, its promise, then what is seen from outside.
pub fn advise(facts: &Facts) -> Advice {
    if let Some((at, end)) = facts.exited {
        return of_an_end(facts, at, end);
    }
    if let Some(at) = facts.said_ready {
        return of_its_word(facts, at);
    }
    if let Some(at) = facts.line {
        let reason = format!("it writes a line to descriptor 3 after {}: its own word (s6's way)", human(at));
        return advice(&["--until fd:3"], vec![reason]);
    }
    if facts.spoke.is_some() {
        let reason = "it speaks sd_notify, but has not said READY=1 in this time: watch it longer (-t), or see what its \
                      STATUS says";
        return advice(&["--until notify"], vec![reason.into()]);
    }
    match (facts.background, &facts.listened) {
        (Some(gone), Some((at, address))) if *at < gone => {
            let before = gap(gone - *at);
            let reason =
                format!("it listens on {address} {before} before it puts itself into the background and exits 0");
            advice(&["--until exit"], vec![reason])
        }
        (Some(gone), Some((at, address))) => {
            let after = gap(*at - gone);
            let reason =
                format!("it listens on {address}, but only {after} after it has put itself into the background");
            advice(&[], vec![reason, "without a flag it is followed there; --until exit would be too early".into()])
        }
        (Some(_), None) => {
            let reason = "it puts itself into the background and exits 0, and gives no other sign";
            advice(&["--until exit"], vec![reason.into()])
        }
        (None, Some((at, address))) => of_a_listener(facts, *at, address),
        (None, None) => of_nothing(facts),
    }
}

fn of_an_end(facts: &Facts, at: Duration, end: End) -> Advice {
    let mut reasons = vec![format!("it {} after {}: nothing is left that could be ready", describe(end), human(at))];
    match end {
        End::Code(0) => reasons.push("is it a server, and is it told to stay?".into()),
        _ => reasons.extend(facts.last_line.iter().map(|line| format!("the last that it wrote: {line}"))),
    }
    Advice { flags: None, reasons }
}

fn of_its_word(facts: &Facts, at: Duration) -> Advice {
    let mut reasons = vec![format!("it says READY=1 after {}: its own word", human(at))];
    match &facts.listened {
        Some((listened, address)) if *listened < at => {
            let before = gap(at - *listened);
            reasons.push(format!("it listens on {address} {before} before that: to listen is not yet to be ready"));
        }
        _ => {}
    }
    reasons.push("without a flag READY=1 is awaited too, as soon as it is known that it can say so".into());
    advice(&["--until notify"], reasons)
}

fn of_a_listener(facts: &Facts, at: Duration, address: &str) -> Advice {
    let listens = format!("it listens on {address} after {}", human(at));
    if !facts.could_speak {
        return advice(&[], vec![format!("{listens} and cannot say READY=1: no flag is needed")]);
    }
    let reasons = [
        &*listens,
        "it could say READY=1 and does not: without a flag it is believed when it has been quiet for 200 ms",
        "if it serves as soon as it listens, --until listen is that much sooner; if it can be told to speak (as redis \
         with --supervised systemd), --until notify is the surest",
    ];
    advice(&[], reasons.map(str::to_owned).into())
}

fn of_nothing(facts: &Facts) -> Advice {
    match &facts.last_line {
        Some(line) => {
            let flag = command_text(&[format!("log:{}", pattern(line)).into()]);
            let reason =
                "it gives no sign but its output; this is the last line before it was quiet: is it the right one?";
            let flag = format!("--until {flag}");
            advice(&[&flag], vec![reason.into()])
        }
        None => {
            let reasons = [
                "it gives no sign at all: it does not listen, speak, write or put itself into the background",
                "better than a delay: --until file:PATH or --until 'exec:COMMAND', if there is something to look for",
            ];
            advice(&["--until delay:1s"], reasons.map(str::to_owned).into())
        }
    }
}

/// A pattern for the words of a line; numbers (times, pids, ports) are others the next time.
fn pattern(line: &str) -> String {
    let mut pattern = String::new();
    let mut in_number = false;
    for c in line.trim().chars().take(200) {
        match c {
            '0'..='9' if in_number => {}
            '0'..='9' => pattern.push_str("[0-9]+"),
            c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        in_number = c.is_ascii_digit();
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn flags(facts: Facts) -> Option<Vec<String>> {
        advise(&facts).flags
    }

    fn one(flag: &str) -> Option<Vec<String>> {
        Some(vec![flag.into()])
    }

    #[test]
    fn its_own_word_comes_first() {
        let listened = Some((MS(5), "x".into()));
        let facts = Facts { said_ready: Some(MS(12)), listened, line: Some(MS(1)), ..Facts::default() };
        let advice = advise(&facts);
        assert_eq!(advice.flags, one("--until notify"));
        assert!(advice.reasons[1].contains("7 ms before"), "{advice:?}");
    }

    #[test]
    fn a_promise_counts_if_it_was_kept() {
        let facts = |at| Facts { listened: Some((MS(at), "x".into())), background: Some(MS(10)), ..Facts::default() };
        assert_eq!(flags(facts(9)), one("--until exit"));
        // Seen in the same moment, it may have been after it.
        assert_eq!(flags(facts(10)), Some(vec![]));
        assert_eq!(flags(facts(11)), Some(vec![]));
        assert_eq!(flags(Facts { listened: None, ..facts(1) }), one("--until exit"));
    }

    #[test]
    fn who_listens_needs_no_flag() {
        let facts = Facts { listened: Some((MS(9), "x".into())), ..Facts::default() };
        assert_eq!(advise(&facts).reasons.len(), 1);
        assert_eq!(flags(facts.clone()), Some(vec![]));
        assert_eq!(flags(Facts { could_speak: true, ..facts }), Some(vec![]));
    }

    #[test]
    fn else_it_is_the_output_or_a_delay() {
        let facts = Facts { last_line: Some("[12:30] it's up (pid 7)".into()), ..Facts::default() };
        assert_eq!(flags(facts), one(r"--until 'log:\[[0-9]+:[0-9]+\] it'\''s up \(pid [0-9]+\)'"));
        assert_eq!(flags(Facts::default()), one("--until delay:1s"));
        assert_eq!(flags(Facts { line: Some(MS(1)), ..Facts::default() }), one("--until fd:3"));
    }

    #[test]
    fn who_ends_gets_no_flags() {
        for code in [0, 3] {
            assert_eq!(flags(Facts { exited: Some((MS(1), End::Code(code))), ..Facts::default() }), None);
        }
    }
}
