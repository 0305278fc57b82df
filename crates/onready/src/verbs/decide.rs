//! What a start of a given name comes to, from what is on record: pure, so that every case is tested without a process.

use super::state::{Outcome, Record, State};
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// What somebody wants who starts a server under a name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// The command.
    pub argv: &'a [OsString],
    /// The version or configuration that the server must have, if it matters.
    pub fingerprint: Option<&'a str>,
    /// A server that runs already is an error, even if it is the same.
    pub fail_if_running: bool,
    /// A server that runs with another command or fingerprint is to be restarted.
    pub restart_if_changed: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing runs under this name: start it.
    Start,
    /// It runs and is ready: success.
    Running,
    /// The start that was waited for has failed: report the same (`code` and `error` of the record).
    Failed,
    /// Something else runs and is to be replaced, or the processes of a dead server may be left: stop that, then start.
    /// The text says why.
    Replace(String),
    /// Something runs that must not be touched: exit code 69. The text says what, and what to do.
    Refuse(String),
}

/// Decides. `waited` is [`Claim::waited`](super::state::Claim::waited), `false` without a claim.
pub fn decide(record: Option<&Record>, state: Option<State>, waited: bool, wish: &Wish<'_>) -> Decision {
    let (Some(record), Some(state)) = (record, state) else { return Decision::Start };
    let difference = difference(record, wish);
    match state {
        State::Ready if wish.fail_if_running => {
            Decision::Refuse(format!("{} is already running{}", record.name, pid(record)))
        }
        State::Ready => match difference {
            None => Decision::Running,
            Some(difference) if wish.restart_if_changed => Decision::Replace(difference),
            Some(difference) => Decision::Refuse(format!(
                "{} is already running{} with {difference}\nstop it first, or choose another name",
                record.name,
                pid(record)
            )),
        },
        State::Starting if wish.restart_if_changed && difference.is_some() => {
            Decision::Replace(difference.unwrap_or_default())
        }
        State::Starting => Decision::Refuse(format!(
            "{} is running{} and was not ready in time; it was kept: wait for it, or stop it first",
            record.name,
            pid(record)
        )),
        // Somebody who was told to give up says nothing about the server.
        State::Failed if waited && difference.is_none() && record.outcome != Outcome::Interrupted => Decision::Failed,
        // Its main process is gone; what it has started may hold its port.
        State::Dead => Decision::Replace("it has died".into()),
        State::Failed | State::Stopped => Decision::Start,
    }
}

fn pid(record: &Record) -> String {
    record.identity.as_ref().map(|identity| format!(" (pid {})", identity.pid)).unwrap_or_default()
}

/// In what a server on record is not what is wished for.
fn difference(record: &Record, wish: &Wish<'_>) -> Option<String> {
    if record.argv != wish.argv {
        let (theirs, ours) = (command_text(&record.argv), command_text(wish.argv));
        return Some(format!("another command\n  running: {theirs}\n  wanted:  {ours}"));
    }
    let wanted = wish.fingerprint?;
    let theirs = record.fingerprint.as_deref();
    (theirs != Some(wanted)).then(|| {
        let theirs = theirs.map_or_else(|| "none".into(), |text| format!("{text:?}"));
        format!("another fingerprint\n  running: {theirs}\n  wanted:  {wanted:?}")
    })
}

/// A command as it could be typed into a shell.
pub fn command_text(argv: &[OsString]) -> String {
    let mut text = String::new();
    for argument in argv {
        if !text.is_empty() {
            text.push(' ');
        }
        quote(&mut text, argument.as_bytes());
    }
    text
}

/// As it is if no shell would make something else of it, else in quotes.
fn quote(text: &mut String, argument: &[u8]) {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_^".contains(byte);
    match std::str::from_utf8(argument) {
        Ok(argument) if !argument.is_empty() && argument.bytes().all(|byte| plain(&byte)) => text.push_str(argument),
        Ok(argument) if !argument.chars().any(char::is_control) => {
            let _ = write!(text, "'{}'", argument.replace('\'', r"'\''"));
        }
        _ => {
            let _ = write!(text, "$'{}'", argument.escape_ascii());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn argv(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    fn record(outcome: Outcome) -> Record {
        let mut record = Record::new("web", argv(&["python3", "-m", "http.server"]));
        record.outcome = outcome;
        record.fingerprint = Some("v1".into());
        record
    }

    #[test]
    fn every_state_has_its_decision() {
        let same = argv(&["python3", "-m", "http.server"]);
        let wish = Wish { argv: &same, ..Wish::default() };
        for (outcome, state, waited, decision) in [
            (Outcome::Ready, State::Ready, false, Decision::Running),
            (Outcome::Ready, State::Ready, true, Decision::Running),
            (Outcome::Ready, State::Dead, true, Decision::Replace("it has died".into())),
            (Outcome::Stopped, State::Stopped, true, Decision::Start),
            (Outcome::Exited, State::Failed, false, Decision::Start),
            (Outcome::Exited, State::Failed, true, Decision::Failed),
            (Outcome::CouldNotStart, State::Failed, true, Decision::Failed),
            (Outcome::TimedOut, State::Failed, true, Decision::Failed),
            (Outcome::Interrupted, State::Failed, true, Decision::Start),
        ] {
            assert_eq!(decide(Some(&record(outcome)), Some(state), waited, &wish), decision, "{outcome:?} {state:?}");
        }
        assert_eq!(decide(None, None, true, &wish), Decision::Start);
        let kept = decide(Some(&record(Outcome::TimedOut)), Some(State::Starting), false, &wish);
        assert!(matches!(kept, Decision::Refuse(text) if text.contains("not ready in time")));
    }

    #[test]
    fn another_command_is_refused_with_both_or_replaced() {
        let other = argv(&["python3", "-m", "it's"]);
        let mut wish = Wish { argv: &other, ..Wish::default() };
        let Decision::Refuse(text) = decide(Some(&record(Outcome::Ready)), Some(State::Ready), true, &wish) else {
            panic!("not refused")
        };
        assert!(text.contains("running: python3 -m http.server\n"), "{text}");
        assert!(text.contains(r"wanted:  python3 -m 'it'\''s'"), "{text}");
        // The failure of another command is not ours.
        assert_eq!(decide(Some(&record(Outcome::Exited)), Some(State::Failed), true, &wish), Decision::Start);
        wish.restart_if_changed = true;
        assert!(matches!(
            decide(Some(&record(Outcome::Ready)), Some(State::Ready), false, &wish),
            Decision::Replace(_)
        ));
    }

    #[test]
    fn a_fingerprint_counts_only_if_it_is_asked_for() {
        let same = argv(&["python3", "-m", "http.server"]);
        let ready = record(Outcome::Ready);
        let with = |fingerprint, restart_if_changed| {
            let wish = Wish { argv: &same, fingerprint, restart_if_changed, ..Wish::default() };
            decide(Some(&ready), Some(State::Ready), false, &wish)
        };
        assert_eq!(with(None, false), Decision::Running);
        assert_eq!(with(Some("v1"), false), Decision::Running);
        assert!(
            matches!(with(Some("v2"), false), Decision::Refuse(text) if text.contains("\"v1\"") && text.contains("\"v2\""))
        );
        assert!(matches!(with(Some("v2"), true), Decision::Replace(_)));
    }

    #[test]
    fn fail_if_running_comes_first() {
        let same = argv(&["python3", "-m", "http.server"]);
        let wish = Wish { argv: &same, fail_if_running: true, restart_if_changed: true, ..Wish::default() };
        let refused = decide(Some(&record(Outcome::Ready)), Some(State::Ready), false, &wish);
        assert!(matches!(refused, Decision::Refuse(text) if text.contains("already running")));
        assert_eq!(decide(Some(&record(Outcome::Stopped)), Some(State::Stopped), false, &wish), Decision::Start);
    }

    #[test]
    fn a_command_can_be_typed_again() {
        let odd = OsString::from_vec(vec![b'a', 0xff, b'\n']);
        let all = [argv(&["sh", "-c", "echo $HOME", ""]), vec![odd]].concat();
        assert_eq!(command_text(&all), r"sh -c 'echo $HOME' '' $'a\xff\n'");
    }
}
