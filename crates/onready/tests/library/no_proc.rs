//! Without `/proc`: everything that does not need it works.

use crate::common::*;

#[track_caller]
fn run_without_proc(sandbox: &Sandbox, steps: &str) -> Option<Finished> {
    if !is_root("to unmount /proc") {
        return None;
    }
    let line = format!("umount -l /proc && test ! -e /proc/self && exec {} {steps}", example("script").display());
    let mut command = sandbox.command("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &line]);
    Some(Run::new(command).done())
}

#[test]
fn a_success() {
    let sandbox = Sandbox::new();
    if let Some(run) = run_without_proc(&sandbox, "daemonize pid-file=pid log=log enter out=up say-pid notify stay") {
        let run = run.expect_code(0).expect_free();
        assert!(run.out().starts_with("up"), "{run}");
        stop(only_process(&sandbox));
    }
    sandbox.finish();
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let steps = "daemonize enter 'sh&=exec sleep 60' exit=3";
    if let Some(run) = run_without_proc(&sandbox, steps) {
        let run = run.expect_code(3).expect_free();
        assert!(run.exited_at < AT_ONCE, "{run}");
    }
    sandbox.finish();
}

#[test]
fn a_worker_that_takes_its_time_is_waited_for() {
    let sandbox = Sandbox::new();
    let steps = "daemonize timeout=500 enter 'sh&=trap \"sleep 1; echo done >done; exit\" TERM; while :; do sleep .1; done' stay";
    if let Some(run) = run_without_proc(&sandbox, steps) {
        let _ = run.expect_code(124).expect_free();
    }
    sandbox.finish();
}

#[test]
fn who_ignores_sigterm_is_killed() {
    let sandbox = Sandbox::new();
    let steps = "daemonize enter \"sh&=trap '' TERM; : >deaf; while :; do sleep .1; done\" wait-for=deaf exit=3";
    if let Some(run) = run_without_proc(&sandbox, steps) {
        let _ = run.expect_code(3).expect_free();
    }
    sandbox.finish();
}
