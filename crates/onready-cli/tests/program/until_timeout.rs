//! The time is over: what was seen is told, and nothing is left, unless it is to be kept.

use crate::common::*;
use std::time::Duration;

#[test]
fn what_was_seen_is_told() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "--stderr", "first", "second", "--", "notify", "STATUS=replaying", "--", "stay"];
    let run = start(&sandbox, &["-t", "400ms", "--json"], &server).expect_code(124);
    let outcome = json(&run);
    assert_eq!((&outcome["outcome"], &outcome["status"]), (&"timed out".into(), &"replaying".into()), "{run}");
    for part in [
        "not ready within 400 ms; it was stopped",
        "waited for auto",
        "it never listened",
        "it sent STATUS=replaying",
        "its stderr ends:\n    first\n    second",
        "onready doctor",
        "--timeout",
    ] {
        assert!(run.err().contains(part), "{part}: {run}");
    }
    sandbox.finish();
}

#[test]
fn where_it_listens_is_told() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["-t", "400ms", "--until", "notify"], &["listen"]).expect_code(124);
    assert!(run.err().contains("it listens on 127.0.0.1:"), "{run}");
    assert!(run.err().contains("it sent no READY=1"), "{run}");
    sandbox.finish();
}

#[test]
fn a_server_that_ignores_sigterm_is_killed() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["-t", "300ms"], &["ignore", "TERM,INT,HUP", "--", "stay"]).expect_code(124);
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
}

#[test]
fn it_may_be_kept() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["-t", "300ms", "--on-timeout", "keep", "--json"], &["stay"]).expect_code(124);
    let outcome = json(&run);
    assert_eq!(outcome["outcome"], "timed out", "{run}");
    assert!(run.err().contains("it is left running"), "{run}");
    assert!(testbed::alive(pid(&outcome)), "{run}");
    end(sandbox);
}

#[test]
fn the_server_may_ask_for_more() {
    let sandbox = Sandbox::new();
    let server = ["notify", "EXTEND_TIMEOUT_USEC=20000000", "900ms", "READY=1"];
    let outcome = ready(&sandbox, &["-t", "500ms"], &server);
    assert!(elapsed(&outcome) >= Duration::from_millis(900), "{outcome}");
    end(sandbox);
}

#[test]
fn zero_is_for_ever() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-t", "0"], &["listen", "--after-ms", "300"]);
    end(sandbox);
}

#[test]
fn a_descendant_that_left_everything_is_stopped_too() {
    let sandbox = Sandbox::new();
    let server = ["crowd", "--count", "5", "--own-session", "--seconds", "50", "--", "stay"];
    start(&sandbox, &["-t", "400ms"], &server).expect_code(124);
    sandbox.finish();
}
