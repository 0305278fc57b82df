//! One outcome each: exit code, and the reason on stderr.

use crate::common::*;

#[test]
fn ready_is_0_and_the_server_lives_on() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "out=hello\\n", "say-pid", "notify", "stay"]);
    let run = run.expect_code(0).expect_free();
    assert!(run.stdout.starts_with(b"hello\n"), "{run}");
    assert_eq!(run.err(), "", "nothing of ours is said about a success");
    assert_eq!(only_process(&sandbox), pid(&run));
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn the_server_s_own_code_is_the_launcher_s() {
    let sandbox = Sandbox::new();
    for code in [1, 3, 69, 124, 255] {
        let run = daemonize(&sandbox, &["enter", "err=cannot bind\\n", &format!("exit={code}")]).expect_code(code);
        let said = format!("cannot bind\nscript: the server exited with code {code} before it was ready\n");
        assert_eq!(run.err(), said);
        assert!(run.eof);
    }
    sandbox.finish();
}

#[test]
fn exit_0_before_ready_is_a_failure() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "exit=0"]).expect_code(125);
    assert_eq!(run.err(), "script: the server exited with code 0 before it was ready\n");
    sandbox.finish();
}

#[test]
fn a_main_that_returns_an_error_is_its_exit_code_and_its_text() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "bind=203.0.113.1:1"]).expect_code(1);
    assert!(run.err().contains("Cannot assign requested address"), "{run}");
    assert!(run.err().ends_with("script: the server exited with code 1 before it was ready\n"), "{run}");
    sandbox.finish();
}

#[test]
fn a_panic_is_a_failure_with_its_text() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "panic"]).expect_code(101);
    assert!(run.err().contains("as asked"), "{run}");
    sandbox.finish();
}

#[test]
fn a_silent_death_is_a_failure() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "exit=7"]).expect_code(7);
    assert_eq!(run.err(), "script: the server exited with code 7 before it was ready\n");
    sandbox.finish();
}

#[test]
fn a_death_before_enter_is_a_failure() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["if-server", "exit=9", "enter", "notify"]).expect_code(9);
    assert_eq!(run.err(), "script: the server exited with code 9 before it was ready\n");
    sandbox.finish();
}

#[test]
fn a_death_by_signal_is_named() {
    let sandbox = Sandbox::new();
    for (signal, code) in [("SEGV", 139), ("ABRT", 134), ("KILL", 137), ("TERM", 143)] {
        let run = daemonize(&sandbox, &["enter", "--", "die", signal]).expect_code(code);
        assert_eq!(run.err(), format!("script: the server was killed by SIG{signal} before it was ready\n"));
    }
    sandbox.finish();
}

#[test]
fn ready_dropped_while_the_process_lives_on() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "status=thinking", "drop", "stay"]).expect_code(125);
    assert!(run.exited_at < AT_ONCE, "{run}");
    let said = "script: the server let go of its launcher without being ready (was `Ready` dropped before `notify`?) \
                and was stopped; its last status was \"thinking\"\n";
    assert_eq!(run.err(), said);
    sandbox.finish();
}

#[test]
fn ready_dropped_on_the_way_out_is_the_exit_code() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "drop", "err=sorry\\n", "sleep=300", "exit=4"]).expect_code(4);
    assert_eq!(run.err(), "sorry\nscript: the server exited with code 4 before it was ready\n");
    sandbox.finish();
}

#[test]
fn a_death_right_after_notify_is_never_a_success_of_a_dead_server() {
    // Whether the launcher saw the death in time is a race; that 0 means "was alive" cannot be tested from outside,
    // but a code other than 0 and the server's own is always wrong.
    let sandbox = Sandbox::new();
    for _ in 0..20 {
        let run = daemonize(&sandbox, &["enter", "notify", "exit=5"]);
        assert!(run.code == Some(5) || run.code == Some(0), "{run}");
        assert!(run.eof, "{run}");
    }
    // After a success the server may still be on its way out.
    for (pid, _) in sandbox.processes() {
        assert!(testbed::wait_gone(pid, LONG));
    }
    sandbox.finish();
}

#[test]
fn a_warning_on_stderr_is_no_failure() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "err=warning: no config, using defaults\\n", "say-pid", "notify", "stay"]);
    let run = run.expect_code(0).expect_free();
    assert_eq!(run.err(), "warning: no config, using defaults\n");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn the_last_status_of_a_failed_start_is_told() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "status=loading", "status=opening db", "exit=2"]).expect_code(2);
    let said = "script: the server exited with code 2 before it was ready; its last status was \"opening db\"\n";
    assert_eq!(run.err(), said);
    sandbox.finish();
}

#[test]
fn a_thousand_status_texts_are_no_flood() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "statuses=1000", "say-pid", "notify", "stay"]).expect_code(0);
    assert_eq!(run.err(), "", "stderr is no terminal here");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn what_notify_cannot_do_is_a_failure_with_its_reason() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["dir=/nowhere/at/all", "enter", "notify", "stay"]).expect_code(1);
    assert!(run.err().contains("cannot change to the directory /nowhere/at/all"), "{run}");
    sandbox.finish();
}

#[test]
fn a_server_that_lives_on_after_a_failed_notify_is_stopped() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["dir=/nowhere/at/all", "enter", "try-notify", "stay"]).expect_code(125);
    assert!(run.out().contains("not notified: cannot change to the directory /nowhere/at/all"), "{run}");
    sandbox.finish();
}
