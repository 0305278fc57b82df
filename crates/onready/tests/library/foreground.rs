//! Without `--daemonize`.

use crate::common::*;

#[test]
fn enter_returns_at_once_in_the_same_process() {
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["enter", "is-daemon", "status=x", "extend=5", "say-pid", "notify", "exit=0"]))
        .done();
    let run = run.expect_code(0);
    assert_eq!(run.out(), format!("is_daemon=false\npid={}\n", run.pid));
    sandbox.finish();
}

#[test]
fn in_the_background_it_says_so() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "is-daemon", "say-pid", "notify", "stay"]).expect_code(0);
    assert!(run.out().starts_with("is_daemon=true\n"), "{run}");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn nothing_is_changed() {
    let sandbox = Sandbox::new();
    let steps = ["log=log", "dir=/", "umask=077", "enter", "notify", "out=up\\n", "stay"];
    let run = Run::new(server(&sandbox, steps)).setup(Setup::new().umask(0o022)).start();
    run.wait_stdout("up", LONG);
    let server = look_at(run.pid());
    assert_eq!(server.cwd, sandbox.path("").canonicalize().expect("it is there"));
    assert_eq!(server.umask, 0o022);
    assert!(!sandbox.path("log").exists());
    run.signal("TERM");
    assert_eq!(run.done().signal, Some(15));
    sandbox.finish();
}

#[test]
fn dropping_ready_is_nothing() {
    let sandbox = Sandbox::new();
    let _ = Run::new(server(&sandbox, ["enter", "drop", "exit=4"])).done().expect_code(4);
    sandbox.finish();
}

#[test]
fn ready_may_go_to_another_thread() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "say-pid", "notify-in-thread", "stay"]).expect_code(0);
    stop(pid(&run));
    sandbox.finish();
}
