//! Who finds the channel, and who must not.

use crate::common::*;

#[test]
fn a_forged_variable_is_refused() {
    let sandbox = Sandbox::new();
    for forged in ["", "1", "3:1:-:-:x", "3:1:-:-:-1", "/dev/fd/3", "0:1:-:-:1"] {
        let mut command = server(&sandbox, ["daemonize", "enter", "notify"]);
        command.env("ONREADY_CHANNEL", forged);
        let run = Run::new(command).done().expect_code(125);
        let said = format!(
            "script: cannot find out who started this process: the environment variable ONREADY_CHANNEL={forged} \
             is not for this process: it was not made by a launcher; unset it\n"
        );
        assert_eq!(run.err(), said);
    }
    sandbox.finish();
}

#[test]
fn one_with_our_pid_but_without_the_channel_is_refused() {
    let sandbox = Sandbox::new();
    let line =
        format!("export ONREADY_CHANNEL=9:77:-:-:$$; exec {} daemonize enter notify", example("script").display());
    let run = sandbox.run("sh", ["-c", &line]).expect_code(125);
    assert!(run.err().contains("descriptor 9 is not the channel any more; unset it"), "{run}");
    // With something else open there, too.
    let line = format!(
        "export ONREADY_CHANNEL=9:77:-:-:$$; exec {} daemonize enter notify 9</dev/null",
        example("script").display()
    );
    let run = sandbox.run("sh", ["-c", &line]).expect_code(125);
    assert!(run.err().contains("descriptor 9 is not the channel any more; unset it"), "{run}");
    sandbox.finish();
}

#[test]
fn one_that_leaked_into_a_shell_is_nobody_s() {
    let sandbox = Sandbox::new();
    let mut command = server(&sandbox, ["daemonize", "enter", "say-pid", "notify", "stay"]);
    command.env("ONREADY_CHANNEL", "3:123456:-:-:1");
    let run = Run::new(command).done().expect_code(0);
    stop(pid(&run));
    let mut command = server(&sandbox, ["enter", "is-daemon", "notify", "exit=0"]);
    command.env("ONREADY_CHANNEL", "3:123456:-:-:1");
    assert_eq!(Run::new(command).done().expect_code(0).out(), "is_daemon=false\n");
    sandbox.finish();
}

#[test]
fn a_child_of_the_server_is_no_server_of_the_launcher() {
    let sandbox = Sandbox::new();
    let steps =
        ["enter", "env=ONREADY_CHANNEL", "again=enter,is-daemon,try-notify,exit=0", "say-pid", "notify", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    assert!(run.out().contains("is_daemon=false\nnotified\nagain: exit status: 0\n"), "{run}");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_server_may_start_another_one() {
    let sandbox = Sandbox::new();
    let steps = [
        "enter",
        "out=outer\\n",
        "again=daemonize,enter,out=inner\\n,pid=inner,notify,stay",
        "say-pid",
        "notify",
        "stay",
    ];
    let run = daemonize(&sandbox, &steps).expect_code(0).expect_free();
    assert!(run.out().starts_with("outer\ninner\nagain: exit status: 0\n"), "{run}");
    let inner = value(&testbed::wait_for_file(sandbox.path("inner"), LONG), "pid").parse().expect("a pid");
    assert_ne!(look_at(inner).session, look_at(pid(&run)).session);
    stop(inner);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn after_ready_as_well() {
    let sandbox = Sandbox::new();
    let report = |name| format!("pid={}", sandbox.path(name).display());
    let again = format!("again=daemonize,enter,notify,{},stay", report("inner"));
    let _ = daemonize(&sandbox, &["enter", "notify", &again, &report("outer"), "stay"]).expect_code(0);
    for name in ["inner", "outer"] {
        let pid = value(&testbed::wait_for_file(sandbox.path(name), LONG), "pid").parse().expect("a pid");
        stop(pid);
    }
    sandbox.finish();
}

#[test]
fn a_fork_before_enter_is_told_what_is_wrong() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["if-server", "fork-and-wait", "enter", "notify", "stay"]).expect_code(125);
    assert!(run.err().contains("is not for this process: it is for process"), "{run}");
    sandbox.finish();
}

#[test]
fn all_descriptors_closed_before_enter() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["if-server", "close-all", "enter", "notify", "stay"]).expect_code(125);
    assert!(run.err().contains("is not the channel any more"), "{run}");
    sandbox.finish();
}

#[test]
fn a_second_enter_is_told_what_is_wrong() {
    let sandbox = Sandbox::new();
    for steps in
        [&["enter", "enter", "notify"][..], &["enter", "say-pid", "notify", "try-enter", "stay", "launcher", "stay"]]
    {
        let run = daemonize(&sandbox, &[&["log=log"], steps].concat());
        if run.code == Some(0) {
            let log = testbed::wait_for_text(sandbox.path("log"), "error code=125", LONG);
            assert!(log.contains("`enter` was called before"), "{log}");
            stop(pid(&run));
        } else {
            assert!(run.err().contains("`enter` was called before"), "{run}");
        }
    }
    sandbox.finish();
}

#[test]
fn a_child_that_inherited_the_channel_cannot_keep_the_launcher() {
    // A child forked without exec holds a copy of the channel: its end is not seen, so words are used.
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "fork", "drop", "stay"]).expect_code(125);
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
}
