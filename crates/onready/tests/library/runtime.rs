//! Inside a runtime with many threads.

use crate::common::*;

#[test]
fn success_and_failure() {
    let sandbox = Sandbox::new();
    let run =
        daemonize(&sandbox, &["tokio", "enter", "out=up\\n", "say-pid", "notify", "stay"]).expect_code(0).expect_free();
    assert!(look_at(pid(&run)).threads > 3, "the runtime was there before");
    stop(pid(&run));
    let run = daemonize(&sandbox, &["tokio", "enter", "err=no\\n", "exit=3"]).expect_code(3);
    assert_eq!(run.err(), "no\nscript: the server exited with code 3 before it was ready\n");
    sandbox.finish();
}

#[test]
fn notify_from_a_task() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["tokio", "enter", "say-pid", "notify-in-task", "stay"]).expect_code(0);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn interrupted() {
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["daemonize", "tokio", "enter", "out=up\\n", "stay"])).start();
    run.wait_stdout("up", LONG);
    run.signal("INT");
    let _ = run.done().expect_code(130).expect_free();
    sandbox.finish();
}

#[test]
fn the_launcher_killed() {
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["daemonize", "tokio", "enter", "pid=server", "out=up\\n", "stay"])).start();
    run.wait_stdout("up", LONG);
    let server = value(&testbed::wait_for_file(sandbox.path("server"), LONG), "pid").parse().expect("a pid");
    run.signal("KILL");
    let _ = run.done();
    assert!(testbed::wait_gone(server, LONG));
    sandbox.finish();
}
