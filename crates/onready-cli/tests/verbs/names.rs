//! Names, given and made up: who starts, who waits, and who is refused.

use crate::common::*;
use std::process::Stdio;

/// So many at the same instant.
const MANY: usize = 20;

fn many(sandbox: &Sandbox, options: &[&str], server: &[&str]) -> Vec<std::process::Output> {
    let start = |_| {
        let mut command = start_command(sandbox, options, server);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("start it")
    };
    let all: Vec<_> = (0..MANY).map(start).collect();
    all.into_iter().map(|child| child.wait_with_output().expect("its end")).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn of_many_who_start_one_name_one_starts_and_all_report_it() {
    let sandbox = Sandbox::new();
    race(|_| {
        let mut pids: Vec<i32> = Vec::new();
        for output in many(&sandbox, &["-n", "web", "--json"], &["listen", "--after-ms", "50"]) {
            assert!(output.status.success(), "{output:?}");
            let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!((&outcome["outcome"], &outcome["name"]), (&"ready".into(), &"web".into()));
            pids.push(number(&outcome["pid"]));
        }
        pids.dedup();
        assert_eq!(servers(&sandbox), pids, "one server, and everybody tells its pid");
        stop(&sandbox, "web");
    });
    end(sandbox);
}

#[test]
fn when_it_fails_those_who_waited_tell_the_same() {
    let sandbox = Sandbox::new();
    let words = ["log-line", "--stderr", "no such table", "300ms", "--", "exit", "3"];
    let outputs = many(&sandbox, &["-n", "web"], &words);
    assert_eq!(servers(&sandbox), NONE);
    let said = |output: &std::process::Output| text(&output.stderr).lines().last().unwrap_or_default().to_owned();
    let first = said(&outputs[0]);
    assert!(first.contains("exited with code 3"), "{first}");
    for output in &outputs {
        assert_eq!((output.status.code(), said(output)), (Some(3), first.clone()), "{output:?}");
    }
    let (code, seen) = status(&sandbox, "web");
    assert_eq!((code, &seen["state"], &seen["exit_code"]), (3, &"failed".into(), &3.into()));
    // Who comes later does not hear of it: it may go well now.
    ready(&sandbox, &["-n", "web"], &LISTEN);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn with_fail_if_running_one_of_many_succeeds() {
    let sandbox = Sandbox::new();
    race(|_| {
        let outputs = many(&sandbox, &["-n", "web", "--fail-if-running"], &LISTEN);
        let (good, bad): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.status.success());
        assert_eq!(good.len(), 1, "{outputs:?}");
        for output in bad {
            assert_eq!(output.status.code(), Some(69), "{output:?}");
            assert!(text(&output.stderr).contains("web is already running (pid "), "{output:?}");
        }
        stop(&sandbox, "web");
    });
    end(sandbox);
}

#[test]
fn a_name_that_runs_is_success_with_its_command_and_69_with_another_one() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    assert_eq!(ready(&sandbox, &["-n", "web"], &LISTEN), pid);
    let run = start(&sandbox, &["-n", "web"], &["listen", "--port", "0"]).expect_code(69);
    let error = run.err();
    assert!(error.contains("is already running") && error.contains(&pid.to_string()), "{run}");
    assert!(error.contains("fixture listen\n") && error.contains("fixture listen --port 0"), "{run}");
    assert_eq!(servers(&sandbox), [pid]);
    let run = start(&sandbox, &["-n", "web", "--json"], &["listen", "--port", "0"]).expect_code(69);
    assert_eq!((&json(&run)["outcome"], &json(&run)["pid"]), (&"already running".into(), &pid.into()));
    stop(&sandbox, "web");
    // Stopped, it may become anything.
    ready(&sandbox, &["-n", "web"], &["listen", "--port", "0"]);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn without_a_name_each_start_is_a_new_server() {
    let sandbox = Sandbox::new();
    let names = |outputs: Vec<std::process::Output>| {
        let mut names = Vec::new();
        for output in outputs {
            assert!(output.status.success(), "{output:?}");
            let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            names.push(outcome["name"].as_str().expect("a name").to_owned());
        }
        names.sort();
        names
    };
    race(|_| {
        let made = names(many(&sandbox, &["--json"], &LISTEN));
        let mut unique = made.clone();
        unique.dedup();
        assert_eq!(unique.len(), MANY, "{made:?}");
        assert_eq!(servers(&sandbox).len(), MANY);
        let words: Vec<&str> = ["stop", "-q"].into_iter().chain(made.iter().map(String::as_str)).collect();
        onready(&sandbox, &words).expect_code(0);
        assert_eq!(servers(&sandbox), NONE);
    });
    // One after the other the names are the lowest that are free.
    for name in ["fixture", "fixture-2"] {
        assert_eq!(json(&start(&sandbox, &["--json"], &LISTEN).expect_code(0))["name"], name);
    }
    onready(&sandbox, &["stop", "fixture", "fixture-2"]).expect_code(0);
    end(sandbox);
}

#[test]
fn a_made_up_name_is_not_given_again_while_something_of_it_runs() {
    let sandbox = Sandbox::new();
    let words = ["crowd", "--count", "2", "--seconds", "50", "--", "listen"];
    let pid = ready(&sandbox, &[], &words);
    testbed::kill(pid);
    assert!(testbed::wait_gone(pid, LONG));
    assert_eq!(status(&sandbox, "fixture").1["state"], "dead");
    ready(&sandbox, &[], &LISTEN);
    assert_eq!(status(&sandbox, "fixture-2").0, 0);
    assert_eq!(servers(&sandbox).len(), 3, "what the first has left was not touched");
    onready(&sandbox, &["stop", "fixture", "fixture-2"]).expect_code(0);
    end(sandbox);
}

#[test]
fn of_an_unnamed_start_that_fails_nothing_is_left() {
    let sandbox = Sandbox::new();
    start(&sandbox, &[], &["exit", "4"]).expect_code(4);
    onready(&sandbox, &["status", "fixture"]).expect_code(4);
    onready(&sandbox, &["--", "/no/such/program"]).expect_code(127);
    // No record, no lock, no log.
    sandbox.finish();
}

#[test]
fn a_name_that_is_none_is_refused_before_anything_is_started() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(250);
    for name in ["", ".", "..", "a/b", "../x", "a\nb", long.as_str()] {
        let run = start(&sandbox, &["-n", name], &LISTEN);
        assert!(run.code.is_some_and(|code| code == 2 || code == 125), "{name:?} {run}");
        assert!(run.err().contains("cannot call a server"), "{run}");
    }
    sandbox.finish();
}

#[test]
fn strange_names_are_names() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(249);
    for name in ["web 1", "größe", ".hidden", "a.lock", "a.state", "logs", "...", long.as_str()] {
        ready(&sandbox, &["-n", name], &LISTEN);
        assert_eq!(status(&sandbox, name).0, 0);
        stop(&sandbox, name);
        assert_eq!(status(&sandbox, name).0, 3);
    }
    end(sandbox);
}
