//! Callers with odd surroundings.

use crate::common::*;

const GOOD: [&str; 6] = ["daemonize", "enter", "out=up\\n", "say-pid", "notify", "stay"];

#[track_caller]
fn works_in(setup: Setup) -> Finished {
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, GOOD)).setup(setup).done().expect_code(0).expect_free();
    stop(only_process(&sandbox));
    sandbox.finish();
    run
}

#[test]
fn sigchld_ignored() {
    let _ = works_in(Setup::new().ignore("CHLD"));
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["daemonize", "enter", "exit=3"])).setup(Setup::new().ignore("CHLD")).done();
    let run = run.expect_code(3);
    assert_eq!(run.err(), "script: the server exited with code 3 before it was ready\n");
    sandbox.finish();
}

#[test]
fn signals_blocked() {
    let _ = works_in(Setup::new().block("CHLD,TERM,INT,HUP,USR1,PIPE"));
    let sandbox = Sandbox::new();
    let setup = Setup::new().block("CHLD,TERM,INT,HUP");
    let run = Run::new(server(&sandbox, ["daemonize", "enter", "out=up\\n", "stay"])).setup(setup).start();
    run.wait_stdout("up", LONG);
    run.signal("TERM");
    let _ = run.done().expect_code(143);
    sandbox.finish();
}

#[test]
fn everything_ignored() {
    let _ = works_in(Setup::new().ignore("CHLD,TERM,INT,HUP,USR1,USR2,PIPE,QUIT,TSTP,TTOU,TTIN,ALRM"));
}

#[test]
fn streams_closed() {
    let sandbox = Sandbox::new();
    for closed in [&[0][..], &[1], &[2], &[0, 1], &[0, 1, 2]] {
        let setup = closed.iter().fold(Setup::new(), |setup, fd| setup.close(*fd));
        let run =
            Run::new(server(&sandbox, ["daemonize", "enter", "out=x", "err=y", "notify", "stay"])).setup(setup).done();
        let run = run.expect_code(0).expect_free();
        assert_eq!(run.out(), if closed.contains(&1) { "" } else { "x" }, "{closed:?}");
        assert_eq!(run.err(), if closed.contains(&2) { "" } else { "y" }, "{closed:?}");
        let server = look_at(only_process(&sandbox));
        for fd in 0..=2 {
            assert_eq!(server.fds.get(&fd).map(String::as_str), Some("/dev/null"), "{closed:?}");
        }
        stop(server.pid);
    }
    sandbox.finish();
}

#[test]
fn a_failure_with_all_streams_closed_is_an_exit_code() {
    let sandbox = Sandbox::new();
    let setup = Setup::new().close(0).close(1).close(2);
    let run = Run::new(server(&sandbox, ["daemonize", "enter", "out=x", "err=y", "exit=3"])).setup(setup).done();
    let _ = run.expect_code(3);
    sandbox.finish();
}

#[test]
fn hardly_any_descriptors() {
    let sandbox = Sandbox::new();
    let mut worked = 0;
    for limit in 4..40 {
        let run = Run::new(server(&sandbox, GOOD)).setup(Setup::new().limit_files(limit)).done();
        if run.code == Some(0) {
            worked += 1;
            stop(only_process(&sandbox));
        } else {
            assert_eq!(run.code, Some(125), "with {limit} descriptors: {run}");
            assert!(run.err().contains("Too many open files"), "with {limit} descriptors: {run}");
            assert_eq!(run.err().lines().count(), 1, "with {limit} descriptors: {run}");
        }
        assert_eq!(sandbox.processes(), [], "with {limit} descriptors");
    }
    assert!(worked >= 16, "it works with 24 descriptors");
    sandbox.finish();
}

#[test]
fn a_full_descriptor_table() {
    let sandbox = Sandbox::new();
    for free in 0..24 {
        let run = daemonize(&sandbox, &["nofile=64", &format!("fill={free}"), "enter", "notify", "stay"]);
        if run.code == Some(0) {
            assert!(free > 3, "with {free} free");
            stop(only_process(&sandbox));
        } else {
            assert_eq!(run.code, Some(125), "with {free} free: {run}");
            assert!(run.err().contains("Too many open files"), "with {free} free: {run}");
        }
        assert_eq!(sandbox.processes(), [], "with {free} free");
    }
    sandbox.finish();
}

#[test]
fn a_deleted_directory() {
    let run = works_in(Setup::new().deleted_directory());
    assert!(run.out().starts_with("up\n"));
}

#[test]
fn hardly_any_processes() {
    if !is_root("to be another user without other processes") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.open_to_others();
    let program = sandbox.install(&example("script"), "server");
    let run = sandbox.run(
        "setpriv",
        [
            "--reuid=64999",
            "--clear-groups",
            "prlimit",
            "--nproc=1",
            program.to_str().expect("UTF-8"),
            "daemonize",
            "enter",
            "notify",
        ],
    );
    let run = run.expect_code(125);
    assert!(run.err().contains("cannot make a process for the server: Resource temporarily unavailable"), "{run}");
    sandbox.finish();
}

#[test]
fn an_environment_without_anything() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(
        "env",
        ["-i", example("script").to_str().expect("UTF-8"), "daemonize", "enter", "say-pid", "notify", "stay"],
    );
    let run = run.expect_code(0).expect_free();
    stop(pid(&run));
    sandbox.finish();
}
