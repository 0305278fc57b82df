//! `onready notify`: the sender.

use crate::common::*;
use std::time::Duration;
use testbed::Manager;

/// `onready notify` with these words, by a manager's socket.
fn notify(sandbox: &Sandbox, manager: &Manager, words: &[&str]) -> Run {
    let mut command = onready(sandbox, &[&["notify"], words].concat());
    manager.tell(&mut command);
    Run::new(command)
}

#[test]
fn a_script_says_ready() {
    let sandbox = Sandbox::new();
    let own = env!("CARGO_BIN_EXE_onready");
    let script =
        format!("sleep 0.1; {own} notify --status='half way' || exit 9; {own} notify READY=1 || exit 9; exec sleep 60");
    let words = ["--json", "--until", "notify", "--", "sh", "-c", &script];
    let run = check(Run::new(onready(&sandbox, &words)).done()).expect_code(0);
    assert_eq!(json(&run)["status"], "half way", "{run}");
    end(sandbox);
}

#[test]
fn systemd_notify_is_understood_as_well() {
    let sandbox = Sandbox::new();
    if sandbox.run("sh", ["-c", "command -v systemd-notify"]).code != Some(0) {
        println!("skipped: there is no systemd-notify");
        return;
    }
    let script = "systemd-notify --ready --status=up && exec sleep 60";
    let words = ["--json", "--until", "notify", "--", "sh", "-c", script];
    let run = check(Run::new(onready(&sandbox, &words)).done()).expect_code(0);
    assert_eq!(json(&run)["status"], "up", "{run}");
    end(sandbox);
}

#[test]
fn what_is_sent_and_in_which_order() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("manager"));
    let words = ["--ready", "--stopping", "--status=a b", "--pid=77", "X_OWN=1", "--no-block"];
    notify(&sandbox, &manager, &words).done().expect_code(0);
    let message = manager.next(LONG).expect("a message");
    assert_eq!(message.text, "READY=1\nSTOPPING=1\nSTATUS=a b\nMAINPID=77\nX_OWN=1");
    assert!(message.fds.is_empty());
    assert!(manager.next(Duration::from_millis(50)).is_none(), "no barrier with --no-block");
    notify(&sandbox, &manager, &["--reloading", "--no-block"]).done().expect_code(0);
    let message = manager.next(LONG).expect("a message");
    assert!(message.text.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{message:?}");
    sandbox.finish();
}

#[test]
fn it_waits_until_it_was_read() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("manager"));
    let run = notify(&sandbox, &manager, &["READY=1"]).start();
    assert_eq!(manager.next(LONG).expect("a message").text, "READY=1");
    let barrier = manager.next(LONG).expect("a barrier");
    assert_eq!((&*barrier.text, barrier.fds.len()), ("BARRIER=1", 1));
    assert!(!run.wait_exit(Duration::from_millis(100)), "it waits");
    drop(barrier);
    run.done().expect_code(0);
    sandbox.finish();
}

#[test]
fn it_does_not_wait_for_ever() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("manager"));
    let run = notify(&sandbox, &manager, &["READY=1"]).done().expect_code(1);
    assert!(run.err().contains("not read within 5 s"), "{run}");
    assert!(run.exited_at >= Duration::from_secs(5), "{run}");
    sandbox.finish();
}

#[test]
fn it_speaks_for_its_caller() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("manager"));
    let mut shell = sandbox.command("sh");
    let own = env!("CARGO_BIN_EXE_onready");
    shell.args(["-c", &format!("{own} notify --ready --pid --no-block; true")]);
    manager.tell(&mut shell);
    let run = Run::new(shell).done().expect_code(0);
    let message = manager.next(LONG).expect("a message");
    assert_eq!(message.text, format!("READY=1\nMAINPID={}", run.pid));
    if is_root("to speak for another process") {
        assert_eq!(message.sender, run.pid);
    }
    sandbox.finish();
}

#[test]
fn an_abstract_socket() {
    let sandbox = Sandbox::new();
    let manager = Manager::at_abstract(&format!("onready-notify-test-{}", std::process::id()));
    notify(&sandbox, &manager, &["STATUS=x", "--no-block"]).done().expect_code(0);
    assert_eq!(manager.next(LONG).expect("a message").text, "STATUS=x");
    sandbox.finish();
}

#[test]
fn nobody_to_tell_is_an_error() {
    let sandbox = Sandbox::new();
    let run = Run::new(onready(&sandbox, &["notify", "READY=1"])).done().expect_code(1);
    assert!(run.err().starts_with("onready: NOTIFY_SOCKET is not set"), "{run}");
    let mut gone = onready(&sandbox, &["notify", "READY=1"]);
    gone.env("NOTIFY_SOCKET", sandbox.path("nobody"));
    let run = Run::new(gone).done().expect_code(1);
    assert!(run.err().contains(&path(&sandbox, "nobody")) && run.err().contains("nobody listens"), "{run}");
    let mut odd = onready(&sandbox, &["notify", "READY=1"]);
    odd.env("NOTIFY_SOCKET", "vsock:2:1234");
    let run = Run::new(odd).done().expect_code(1);
    assert!(run.err().contains("vsock:2:1234"), "{run}");
    sandbox.finish();
}

#[test]
fn nothing_to_say_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for words in
        [&["notify"][..], &["notify", "READY"], &["notify", "=1"], &["notify", "--pid=x"], &["notify", "--no-block"]]
    {
        Run::new(onready(&sandbox, words)).done().expect_code(2);
    }
    sandbox.finish();
}
