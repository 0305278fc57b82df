//! `--foreground`: process 1 of a container, and the main process of a service manager.

use crate::common::*;
use testbed::Manager;

/// It stays; the manager hears of the readiness, and the server hears the signal.
#[test]
fn readiness_goes_up_and_signals_go_down() {
    for (server, code) in [(&["on-term", "--code", "7", "--", "listen"][..], 7), (&["listen"], 143)] {
        let sandbox = Sandbox::new();
        let manager = Manager::at(sandbox.path("notify"));
        let mut command = start_command(&sandbox, &["--foreground"], server);
        manager.tell(&mut command);
        let run = Run::new(command).start();
        let ready = manager.wait_for("READY=1", LONG);
        assert_eq!(ready.sender, run.pid());
        run.signal("TERM");
        let run = check(run.done()).expect_code(code);
        assert_eq!(sandbox.processes(), [], "{run}");
        end(sandbox);
    }
}

/// A server that reads its configuration again: SIGHUP goes down, RELOADING=1 and READY=1 come up.
#[test]
fn a_reload_is_passed_on_both_ways() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("notify"));
    let onready_path = env!("CARGO_BIN_EXE_onready");
    let script = format!(
        "trap '{onready_path} notify --reloading; {onready_path} notify --ready STATUS=again' HUP; \
         {onready_path} notify --ready; while :; do sleep 1000 & wait; done"
    );
    let mut command = onready(&sandbox, &["--foreground", "--until", "notify", "--", "bash", "-c", &script]);
    manager.tell(&mut command);
    let run = Run::new(command).start();
    manager.wait_for("READY=1", LONG);
    run.signal("HUP");
    manager.wait_for("RELOADING=1", LONG);
    manager.wait_for("STATUS=again", LONG);
    run.signal("TERM");
    check(run.done()).expect_code(143);
    end(sandbox);
}

/// An end that was not asked for is told, and its code is ours.
#[test]
fn the_server_s_code_is_ours() {
    for (server, code) in [(&["exit", "3", "--after-ms", "50"][..], 3), (&["die", "SEGV", "--after-ms", "50"], 139)] {
        let sandbox = Sandbox::new();
        let run = start(&sandbox, &["--foreground", "--until", "delay:1ms"], server).expect_code(code);
        assert!(run.err().starts_with("onready: "), "{run}");
        end(sandbox);
    }
}

/// As process 1, where an orphan that nobody reaps stays a zombie, which `kill -0` still finds.
#[test]
fn orphans_are_reaped() {
    if !is_root("a pid namespace") {
        return;
    }
    let sandbox = Sandbox::new();
    let server = "echo up; orphan=$(sh -c 'sleep 0.1 >/dev/null & echo $!'); \
                  while kill -0 $orphan 2>/dev/null; do sleep 0.01; done; echo reaped; exit 3";
    let program = env!("CARGO_BIN_EXE_onready");
    let words = ["--pid", "--fork", "--kill-child", "--mount-proc", program, "--foreground", "--until", "log:up", "--"];
    let mut command = sandbox.command("unshare");
    command.args(words).args(["sh", "-c", server]);
    let run = Run::new(command).limit(LONG).done().expect_code(3);
    assert_eq!(run.out(), "up\nreaped\n", "{run}");
    end(sandbox);
}
