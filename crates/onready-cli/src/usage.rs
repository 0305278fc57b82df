//! A wrong command line, with a word about what was probably meant.

use crate::cli::{Cli, Options, Special, StartArguments, StartLine, Usual};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error, Parser};
use onready::verbs::command_text;
use std::ffi::OsString;

/// What the command line means; a wrong one ends the process with 2, help and version with 0.
pub fn parse() -> Cli {
    let words: Vec<OsString> = std::env::args_os().collect();
    try_parse(&words).unwrap_or_else(|error| fail(error, &words))
}

/// What these words mean, with the program's own name first.
///
/// # Errors
/// They mean nothing, or ask for help or the version.
pub fn try_parse(words: &[OsString]) -> Result<Cli, Error> {
    // What begins with an option is no verb, but for one that stands behind options of its own; so the verbs'
    // definitions are made only if this is no start, or asks for help. To define an option takes as long as to parse it.
    if words.get(1).is_some_and(|word| word.as_encoded_bytes().starts_with(b"-")) {
        if let Some(start) = parse_start(words) {
            return Ok(Cli { verb: None, start });
        }
    }
    Cli::try_parse_from(words).or_else(|error| match as_meant(&error, words) {
        Some(meant) => Cli::try_parse_from(meant),
        None => Err(error),
    })
}

fn parse_start(words: &[OsString]) -> Option<StartArguments> {
    if let Ok(StartLine { start }) = StartLine::<Usual>::try_parse_from(words) {
        let options = Options { usual: start.options, special: Special::default() };
        return Some(StartArguments { options, command: start.command });
    }
    StartLine::try_parse_from(words).ok().map(|line| line.start)
}

/// The usual order of the words of who writes `onready --state-dir DIR list` or `onready help list`.
fn as_meant(error: &Error, words: &[OsString]) -> Option<Vec<OsString>> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let at = match words.get(1)? {
        help if help == "help" => 1,
        _ => 1 + options_at_the_beginning(&Cli::command(), words.get(1..)?),
    };
    let (before, from) = words.split_at_checked(at)?;
    let (first, behind) = from.split_first()?;
    if at == 1 {
        let help = OsString::from("--help");
        return (first == "help").then(|| [before, behind.get(..1).unwrap_or_default(), &[help]].concat());
    }
    let is_verb = Cli::command().get_subcommands().any(|verb| first == verb.get_name());
    let (program, options) = before.split_at(1);
    is_verb.then(|| [program, std::slice::from_ref(first), options, behind].concat())
}

/// How many words the options take that stand before anything else; all of them, ours and the verbs'.
fn options_at_the_beginning(command: &clap::Command, words: &[OsString]) -> usize {
    let mut count = 0;
    while let Some(word) = words.get(count).and_then(|word| word.to_str()).filter(|word| word.starts_with('-')) {
        let is_it = |argument: &&clap::Arg| match word.strip_prefix("--") {
            Some(long) => argument.get_long() == Some(long),
            None => argument.get_short().is_some_and(|short| word.strip_prefix('-') == Some(&short.to_string())),
        };
        let verbs = command.get_subcommands().flat_map(clap::Command::get_arguments);
        let known = command.get_arguments().chain(verbs).find(is_it);
        // With `=`, or with its value at its letter, it is one word.
        let value_follows = known.is_some_and(|argument| argument.get_action().takes_values());
        if word == "--" {
            break;
        }
        count += 1 + usize::from(value_follows);
    }
    count
}

fn fail(error: Error, words: &[OsString]) -> ! {
    let mut error = error;
    if error.to_string().contains("<NAME>") && error.kind() == ErrorKind::MissingRequiredArgument {
        let tip = "`onready list` tells all names".into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    let unexpected = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word))) => Some(word),
        _ => None,
    };
    let Some(tip) = unexpected.and_then(|word| tip(words, word)) else { error.exit() };
    let word = unexpected.map_or("", String::as_str);
    let tip = format!("'{word}' is neither an option nor a verb\n\n  tip: {tip}");
    Cli::command().error(ErrorKind::UnknownArgument, tip).exit()
}

/// A verb that is spelled like it, or the server that was meant.
fn tip(words: &[OsString], unexpected: &str) -> Option<String> {
    if unexpected.starts_with('-') || words.iter().any(|word| word == "--") {
        return None;
    }
    if matches!(unexpected, "start" | "run") {
        let again = "one on record is started again by `onready restart NAME`";
        return Some(format!("a start needs no verb: onready [-n NAME] -- COMMAND; {again}"));
    }
    let command = Cli::command();
    let near = |verb: &&str| distance(verb, unexpected) <= 1 + verb.len() / 5;
    if let Some(verb) = command.get_subcommands().map(clap::Command::get_name).find(near) {
        return Some(format!("there is a verb '{verb}'"));
    }
    let at = words.iter().position(|word| word == unexpected)?;
    let (ours, theirs) = words.get(1..).unwrap_or_default().split_at(at.checked_sub(1)?);
    let ours: String = ours.iter().map(|word| command_text(std::slice::from_ref(word)) + " ").collect();
    Some(format!("to start it, put `--` before it: onready {ours}-- {}", command_text(theirs)))
}

/// How many letters are to be changed, put in or left out (Levenshtein), with two that changed places as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip_for(line: &str, unexpected: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        tip(&words, unexpected)
    }

    #[test]
    fn a_verb_that_is_nearly_right() {
        for (word, verb) in [("statsu", "status"), ("ensrue", "ensure"), ("lst", "list"), ("docter", "doctor")] {
            assert_eq!(tip_for(&format!("onready {word} x"), word), Some(format!("there is a verb '{verb}'")));
        }
        assert!(tip_for("onready start web", "start").is_some_and(|tip| tip.contains("[-n NAME] -- COMMAND")));
    }

    #[test]
    fn a_server_is_shown_behind_its_dashes() {
        let tip = tip_for("onready -t 5s redis-server --port 80", "redis-server");
        assert!(tip.is_some_and(|tip| tip.ends_with("onready -t 5s -- redis-server --port 80")));
        assert_eq!(tip_for("onready --nonsense", "--nonsense"), None);
        assert_eq!(tip_for("onready x -- y", "x"), None);
    }

    fn meant(line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&words).err()?;
        let words = as_meant(&error, &words)?;
        Some(words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn options_may_stand_before_the_verb() {
        for (line, usual) in [
            ("onready --state-dir x list", "onready list --state-dir x"),
            ("onready --state-dir=x -q stop web db", "onready stop --state-dir=x -q web db"),
            ("onready -f -n 5 logs web", "onready logs -f -n 5 web"),
            ("onready -t5s ensure web -- list stop", "onready ensure -t5s web -- list stop"),
            ("onready help", "onready --help"),
            ("onready help stop", "onready stop --help"),
        ] {
            assert_eq!(meant(line).as_deref(), Some(usual));
        }
        for line in
            ["onready -n list", "onready -q -- list", "onready -q", "onready redis stop", "onready -q redis stop"]
        {
            assert_eq!(meant(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_not_asked_for_is_as_by_default() {
        let line = StartLine::<Options>::try_parse_from(["onready", "--", "x"]).expect("a start");
        let (parsed, default) = (line.start.options.special, Special::default());
        assert_eq!(format!("{parsed:?}"), format!("{default:?}"));
    }

    #[test]
    fn distances() {
        for (a, b, n) in [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "", 3), ("stop", "top", 1)] {
            assert_eq!(distance(a, b), n, "{a} {b}");
        }
    }
}
