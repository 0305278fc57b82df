//! Wrong usage is 2, before anything is started, with a word that helps.

use crate::common::*;
use onready::verbs::{KEPT, ROTATE_AT};

/// The words lead to exit code 2; what the error says.
#[track_caller]
fn wrong(words: &[&str]) -> String {
    let sandbox = Sandbox::new();
    let run = check(Run::new(onready(&sandbox, words)).done()).expect_code(2);
    assert_eq!(run.out(), "", "{run}");
    sandbox.finish();
    run.err()
}

#[test]
fn each_wrong_option_is_named_with_what_would_be_right() {
    for (option, value, part) in [
        ("--until", "nonsense", "the ways are auto, notify"),
        ("--until", "tcp:70000", "ports are 1 to 65535"),
        ("--until", "tcp:0", "ports are 1 to 65535"),
        ("--until", "fd:1", "from 3 to 1023"),
        ("--until", "log:(", "unclosed group"),
        ("--until", "delay:soon", "write 90s"),
        ("--until", "http:https://x/", "not supported"),
        ("--until", "", "the ways are"),
        ("--fail-log", "[", "unclosed character class"),
        ("--timeout", "soon", "write 90s"),
        ("--timeout", "-1", "write 90s"),
        ("--on-timeout", "wait", "[possible values: stop, keep]"),
        ("--notify-access", "none", "[possible values: main, all]"),
        ("--umask", "9", "write it in octal"),
        ("--umask", "7777", "write it in octal"),
        ("--nice", "20", "-20..=19"),
        ("--rlimit", "nofile", "NAME=SOFT"),
        ("--rlimit", "files=1", "there are as, core"),
        ("--rlimit", "nofile=2:1", "above the hard one"),
        ("--env", "NAME", "NAME=VALUE"),
        ("--env", "=x", "NAME=VALUE"),
    ] {
        let error = wrong(&[option, value, "--", "true"]);
        assert!(error.contains(part), "{option} {value}: {error}");
    }
}

#[test]
fn what_does_not_go_together() {
    wrong(&["--log", "a", "--stdout", "b", "--", "true"]);
    wrong(&["--then", "true", "--foreground", "--", "true"]);
    wrong(&["--fail-if-running", "--", "true"]);
    wrong(&["--replace", "--", "true"]);
    wrong(&["--then", "true"]);
    wrong(&["--"]);
    for verb in ["stop", "restart", "status", "logs"] {
        let error = wrong(&[verb]);
        assert!(error.contains("tip: `onready list` tells all names"), "{error}");
    }
    wrong(&["doctor"]);
    wrong(&["completions", "tcsh"]);
}

#[test]
fn no_words_at_all_show_how_it_is_called() {
    let error = wrong(&[]);
    assert!(error.contains("onready [OPTIONS] -- COMMAND"), "{error}");
}

#[test]
fn a_command_without_dashes_is_shown_with_them() {
    let error = wrong(&["redis-server"]);
    assert!(error.contains("onready -- redis-server"), "{error}");
    let error = wrong(&["-t", "5s", "./serve", "--port", "80"]);
    assert!(error.contains("onready -t 5s -- ./serve --port 80"), "{error}");
}

#[test]
fn a_misspelled_verb_is_guessed() {
    let error = wrong(&["statsu", "web"]);
    assert!(error.contains("status"), "{error}");
}

/// The verb is found behind its options; what the verb does not take is an error of the verb's, with its usage.
#[test]
fn options_before_a_verb_are_the_verb_s() {
    let sandbox = Sandbox::new();
    let (state, server) = (path(&sandbox, "state-dir"), testbed::fixture_path());
    let words = ["--state-dir", &state, "ensure", "web", "--", server.to_str().expect("UTF-8"), "listen"];
    Run::new(onready(&sandbox, &words)).done().expect_code(0);
    let list = Run::new(onready(&sandbox, &["--state-dir", &state, "--json", "list"])).done().expect_code(0);
    assert!(list.out().contains("\"web\""), "{list}");
    // A restart understands the line by which it was started.
    let words = ["--state-dir", &state, "-q", "restart", "web"];
    Run::new(onready(&sandbox, &words)).done().expect_code(0);
    let words = [&format!("--state-dir={state}"), "-q", "stop", "web"];
    Run::new(onready(&sandbox, &words)).done().expect_code(0);
    sandbox.allow("state-dir/**").allow("state/onready/**");
    sandbox.finish();

    let error = wrong(&["--until", "listen", "list"]);
    assert!(error.contains("unexpected argument '--until'") && error.contains("Usage: onready list"), "{error}");
}

/// What the help says of the rotation is what is done.
#[test]
fn the_help_of_logs_tells_how_long_they_are_kept() {
    let sandbox = Sandbox::new();
    let help = Run::new(onready(&sandbox, &["logs", "--help"])).done().expect_code(0);
    let words = help.out().split_whitespace().collect::<Vec<_>>().join(" ");
    let kept = format!("larger than {} MiB", ROTATE_AT >> 20);
    assert!(words.contains(&kept) && words.contains(&format!("; {KEPT} are kept")), "{help}");
    sandbox.finish();
}

#[test]
fn help_and_version_are_no_errors() {
    let sandbox = Sandbox::new();
    let short = Run::new(onready(&sandbox, &["-h"])).done().expect_code(0);
    assert!(short.out().lines().count() <= 50, "one screen: {short}");
    let long = Run::new(onready(&sandbox, &["--help"])).done().expect_code(0);
    for part in ["--rlimit", "Examples:", "onready doctor -- ", "Exit codes:", "126, 127", "delay:DURATION"] {
        assert!(long.out().contains(part), "{part}");
    }
    for verb in
        ["ensure", "stop", "restart", "status", "logs", "list", "wait", "notify", "doctor", "completions", "man"]
    {
        assert!(short.out().contains(verb), "{verb}");
        let help = Run::new(onready(&sandbox, &[verb, "--help"])).done().expect_code(0);
        let asked = Run::new(onready(&sandbox, &["help", verb])).done().expect_code(0);
        assert_eq!(asked.out(), help.out());
    }
    assert_eq!(Run::new(onready(&sandbox, &["help"])).done().expect_code(0).out(), long.out());
    Run::new(onready(&sandbox, &["--version"])).done().expect_code(0);
    sandbox.finish();
}

#[test]
fn pages_for_packagers() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Run::new(onready(&sandbox, &["completions", shell])).done().expect_code(0);
        assert!(run.out().contains("onready") && run.out().contains("until"), "{shell}");
    }
    let page = Run::new(onready(&sandbox, &["man"])).done().expect_code(0);
    for part in [".TH onready 1", ".SH \"EXIT STATUS\"", ".SH EXAMPLES", ".SH VERBS", "onready stop", "until"] {
        assert!(page.out().contains(part), "{part}: {}", page.out());
    }
    // Who reads the first line only has not met an error.
    let line = format!("{} man | head -1", env!("CARGO_BIN_EXE_onready"));
    assert_eq!(sandbox.run("sh", ["-c", &line]).err(), "");
    sandbox.finish();
}
