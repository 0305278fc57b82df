//! What a server starts while it starts.

use crate::common::*;

#[test]
fn one_that_holds_the_streams_delays_no_success() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "sh&=exec sleep 60", "out=up\\n", "say-pid", "notify", "stay"]);
    let run = run.expect_code(0).expect_free();
    assert!(run.exited_at < AT_ONCE, "{run}");
    assert!(run.out().starts_with("up\n"), "{run}");
    assert_eq!(sandbox.kill_all(), 2, "the server and its worker live on");
    sandbox.finish();
}

#[test]
fn one_that_holds_the_streams_delays_no_failure_and_is_ended() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "sh&=exec sleep 60", "err=no\\n", "exit=3"]);
    let run = run.expect_code(3).expect_free();
    assert!(run.exited_at < AT_ONCE, "{run}");
    assert_eq!(run.err(), "no\nscript: the server exited with code 3 before it was ready\n");
    sandbox.finish();
}

#[test]
fn one_that_ignores_sigterm_is_killed() {
    let sandbox = Sandbox::new();
    let run = daemonize(
        &sandbox,
        &["enter", "sh&=trap '' TERM; : >deaf; while :; do sleep 1; done", "wait-for=deaf", "exit=3"],
    );
    let _ = run.expect_code(3).expect_free();
    sandbox.finish();
}

#[test]
fn one_in_a_session_of_its_own_is_ended_too() {
    let sandbox = Sandbox::new();
    let fixture = testbed::fixture_path();
    let line =
        format!("sh&=exec {} session --setsid -- pid-file {}", fixture.display(), sandbox.path("worker").display());
    let run = daemonize(&sandbox, &["enter", &line, "wait-for=worker", "exit=3"]).expect_code(3);
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
}

#[test]
fn one_that_lost_its_parent_and_left_the_session_is_ended_too() {
    let sandbox = Sandbox::new();
    let fixture = testbed::fixture_path();
    let line =
        format!("sh={} child --setsid --leave 0 -- pid-file {}", fixture.display(), sandbox.path("worker").display());
    let run = daemonize(&sandbox, &["enter", &line, "wait-for=worker", "exit=3"]).expect_code(3);
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
}

#[test]
fn what_is_started_before_ready_is_detached_as_well() {
    let sandbox = Sandbox::new();
    let steps = ["enter", "quiet-sh&=echo $$ >worker; exec sleep 60", "wait-for=worker", "say-pid", "notify", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    let worker = testbed::wait_for_file(sandbox.path("worker"), LONG).trim().parse().expect("a pid");
    let (server, worker) = (look_at(pid(&run)), look_at(worker));
    assert_eq!((worker.session, worker.tty_nr), (server.session, 0));
    assert_eq!(sandbox.kill_all(), 2);
    sandbox.finish();
}
