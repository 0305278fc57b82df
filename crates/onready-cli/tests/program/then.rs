//! `--then`: a command for whose time the server runs.

use crate::common::*;

/// A start of the listening fixture with a command beside it.
fn beside(sandbox: &Sandbox, options: &[&str], then: &str) -> Run {
    Run::new(start_command(sandbox, &[options, &["--then", then]].concat(), &["listen"]))
}

/// Nothing runs, and nothing is on record.
#[track_caller]
fn nothing_is_left(sandbox: Sandbox, run: &Finished) {
    assert_eq!(sandbox.processes(), [], "{run}");
    let list = Run::new(onready(&sandbox, &["list", "--json"])).done().expect_code(0);
    assert_eq!(list.out().trim(), "[]", "{run}");
    end(sandbox);
}

#[test]
fn its_code_is_ours_and_the_server_is_stopped() {
    for (then, code) in [("true", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("no-such-program", 127)] {
        let sandbox = Sandbox::new();
        let run = check(beside(&sandbox, &[], then).done()).expect_code(code);
        nothing_is_left(sandbox, &run);
    }
}

#[test]
fn it_finds_the_server() {
    let sandbox = Sandbox::new();
    let then = "echo $ONREADY_NAME $ONREADY_PID; exec 3<>/dev/tcp/${ONREADY_LISTENING/:/\\/} && cat <&3";
    let then = format!("exec bash -c '{then}'");
    let run = check(beside(&sandbox, &["-n", "web"], &then).done()).expect_code(0);
    let out = run.out();
    let (first, answer) = out.split_once('\n').expect("two lines");
    let (name, pid) = first.split_once(' ').expect("a name and a pid");
    assert_eq!((name, answer), ("web", "pong\n"), "{run}");
    assert!(pid.parse().is_ok_and(|pid: i32| pid > 1 && !testbed::alive(pid)), "{run}");
    // A given name stays on record, as after `stop`.
    Run::new(onready(&sandbox, &["status", "-q", "web"])).done().expect_code(3);
    end(sandbox);
}

#[test]
fn it_is_not_run_without_a_server() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--then", "touch touched"], &["exit", "3"]).expect_code(3);
    assert!(!sandbox.path("touched").exists(), "{run}");
    nothing_is_left(sandbox, &run);
}

#[test]
fn it_ends_with_a_server_that_ends() {
    let sandbox = Sandbox::new();
    let run = check(beside(&sandbox, &[], "kill -KILL $ONREADY_PID; exec sleep 1000").done()).expect_code(137);
    assert!(run.err().contains("was killed by SIGKILL while --then was running"), "{run}");
    nothing_is_left(sandbox, &run);
}

#[test]
fn both_end_when_we_are_told_to() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = Sandbox::new();
        let began = path(&sandbox, "began");
        let run = beside(&sandbox, &[], &format!("touch {began}; exec sleep 1000")).start();
        testbed::wait_for_path(&began, LONG);
        run.signal(signal);
        let run = check(run.done()).expect_code(code);
        sandbox.allow("work/began");
        nothing_is_left(sandbox, &run);
    }
}

#[test]
fn a_server_that_ran_before_runs_on() {
    let sandbox = Sandbox::new();
    let server = pid(&ready(&sandbox, &["-n", "web"], &["listen"]));
    check(beside(&sandbox, &["-n", "web"], &format!("test $ONREADY_PID = {server} && exit 5")).done()).expect_code(5);
    assert!(testbed::alive(server));
    end(sandbox);
}
