//! The limit, and how it moves.

use crate::common::*;
use std::time::Duration;

#[test]
fn late_is_124_and_nothing_is_left() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["timeout=300", "enter", "status=warming up", "sh&=exec sleep 60", "stay"]);
    let run = run.expect_code(124).expect_free();
    assert!(run.exited_at >= Duration::from_millis(300), "{run}");
    let said = "script: the server was not ready within 300 ms and was stopped; its last status was \"warming up\"\n";
    assert_eq!(run.err(), said);
    sandbox.finish();
}

#[test]
fn a_late_server_may_say_goodbye() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["timeout=300", "enter", "--", "on-term", "--say", "bye"]);
    let run = run.expect_code(124);
    assert!(run.out().contains("bye") || run.err().contains("bye"), "SIGTERM comes first, and is heard: {run}");
    sandbox.finish();
}

#[test]
fn who_ignores_sigterm_is_killed() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["timeout=300", "enter", "ignore=TERM", "stay"]).expect_code(124);
    assert!(run.exited_at >= Duration::from_secs(5), "it had time to end by itself: {run}");
    sandbox.finish();
}

#[test]
fn a_stopped_server_is_ended_too() {
    let sandbox = Sandbox::new();
    let steps = ["timeout=300", "enter", "--", "on-term", "--say", "bye", "--", "stop-self"];
    let run = daemonize(&sandbox, &steps).expect_code(124);
    assert!(run.out().contains("bye"), "it was continued, and could say goodbye: {run}");
    sandbox.finish();
}

#[test]
fn no_limit_is_no_limit() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "say-pid", "sleep=1500", "notify", "stay"]).expect_code(0);
    assert!(run.exited_at >= Duration::from_millis(1500), "{run}");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_limit_of_0_is_no_limit() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["timeout=0", "enter", "say-pid", "sleep=200", "notify", "stay"]).expect_code(0);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_server_may_ask_for_more_time() {
    let sandbox = Sandbox::new();
    let steps = ["timeout=1500", "enter", "extend=20000", "say-pid", "sleep=2500", "notify", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_wish_for_less_changes_nothing() {
    let sandbox = Sandbox::new();
    let steps = ["timeout=20000", "enter", "extend=1", "say-pid", "sleep=300", "notify", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn ready_forgotten_is_late() {
    let sandbox = Sandbox::new();
    let _ = daemonize(&sandbox, &["timeout=500", "enter", "forget", "stay"]).expect_code(124);
    sandbox.finish();
}

#[test]
fn the_limit_counts_before_enter_too() {
    let sandbox = Sandbox::new();
    let _ = daemonize(&sandbox, &["timeout=300", "if-server", "stay", "enter", "notify"]).expect_code(124);
    sandbox.finish();
}
