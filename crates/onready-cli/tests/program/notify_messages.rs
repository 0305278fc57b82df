//! What a server says on NOTIFY_SOCKET, and who may say it.

use crate::common::*;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn the_last_status_is_told() {
    let sandbox = Sandbox::new();
    let outcome = ready(&sandbox, &["--until", "notify"], &["notify", "STATUS=one", "STATUS=two\\nREADY=1"]);
    assert_eq!(outcome["status"], "two");
    end(sandbox);
}

#[test]
fn errno_is_told_in_words() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--until", "notify"], &["notify", "ERRNO=13", "--", "exit", "4"]).expect_code(4);
    assert!(run.err().contains("it says ERRNO=13 (Permission denied"), "{run}");
    sandbox.finish();
}

#[test]
fn mainpid_says_which_process_is_the_server() {
    let sandbox = Sandbox::new();
    let server = ["child", "--", "notify", "MAINPID={pid}", "READY=1", "--", "stay"];
    let outcome = ready(&sandbox, &["--until", "notify"], &server);
    let named = Process::of(pid(&outcome)).expect("the child");
    assert!(named.cmdline.contains(&"session".to_owned()), "the child, not its parent: {named:?}");
    end(sandbox);
}

#[test]
fn mainpid_of_a_stranger_is_not_believed() {
    let sandbox = Sandbox::new();
    let own = format!("MAINPID={}\\nREADY=1", std::process::id());
    let outcome = ready(&sandbox, &["--until", "notify"], &["notify", &own]);
    assert_ne!(pid(&outcome), std::process::id() as i32);
    end(sandbox);
}

#[test]
fn the_socket_of_a_killed_launcher_goes_with_one_of_the_next_starts() {
    let sandbox = Sandbox::new();
    let done = path(&sandbox, "done");
    let mut command = start_command(&sandbox, &["--until", "notify"], &["pid-file", &done, "--", "stay"]);
    let mut launcher = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start");
    testbed::wait_for_path(&done, LONG);
    launcher.kill().expect("kill");
    launcher.wait().expect("wait");
    let folders = [Path::new("/run/onready-notify"), &sandbox.runtime_dir().join("onready/notify")];
    let left = || folders.iter().any(|folder| folder.join(launcher.id().to_string()).exists());
    // One start of eight looks: that 200 do not has a chance of one in 10^11.
    (0..200).take_while(|_| left()).for_each(|_| drop(ready(&sandbox, &[], &["listen"])));
    assert!(!left());
    end(sandbox);
}

#[test]
fn a_barrier_is_answered() {
    let sandbox = Sandbox::new();
    let server = ["notify", "--barrier", "STATUS=a", "STATUS=b", "READY=1", "--", "stay"];
    let outcome = ready(&sandbox, &["--until", "notify"], &server);
    assert_eq!(outcome["status"], "b");
    end(sandbox);
}

#[test]
fn a_child_may_speak_for_it_even_if_it_is_gone_by_then() {
    for flags in [&["--from-child"][..], &["--from-child", "--child-stays"]] {
        let sandbox = Sandbox::new();
        ready(&sandbox, &["--until", "notify"], &[&["notify", "READY=1"], flags].concat());
        end(sandbox);
    }
}

#[test]
fn with_access_for_main_a_child_does_not_count() {
    let sandbox = Sandbox::new();
    let options = ["--until", "notify", "--notify-access", "main", "-t", "400ms"];
    start(&sandbox, &options, &["notify", "READY=1", "--from-child"]).expect_code(124);
    sandbox.finish();
    let sandbox = Sandbox::new();
    ready(&sandbox, &options, &["notify", "READY=1"]);
    end(sandbox);
}

#[test]
fn a_stranger_of_the_same_user_does_not_count() {
    let sandbox = Sandbox::new();
    let (address, done) = (path(&sandbox, "address"), path(&sandbox, "done"));
    let options = ["--until", "notify", "-t", "700ms"];
    let server = ["env-dump", &address, "--", "speaker", "--", "stay"];
    let run = Run::new(start_command(&sandbox, &options, &server)).start();
    let text = testbed::wait_for_file(&address, LONG);
    let socket = text.lines().find_map(|line| line.strip_prefix("env.NOTIFY_SOCKET=")).expect("the address");
    // It lives until the start is over: only a dead sender can pass for one of the server's.
    let stranger = ["notify", "READY=1", "--barrier", "--to", socket, "--", "pid-file", &done, "--", "stay"];
    let stranger = Run::new(sandbox.fixture(stranger)).start();
    testbed::wait_for_path(&done, LONG);
    let run = check(run.done()).expect_code(124);
    assert!(run.err().contains("it sent no READY=1"), "{run}");
    drop(stranger);
    sandbox.finish();
}

#[test]
fn another_user_does_not_count_though_it_is_gone() {
    if !is_root("another user") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.open_to_others();
    let address = path(&sandbox, "address");
    let server = ["env-dump", &address, "--", "speaker", "--", "stay"];
    let run = Run::new(start_command(&sandbox, &["--until", "notify", "-t", "700ms"], &server)).start();
    let text = testbed::wait_for_file(&address, LONG);
    let socket = text.lines().find_map(|line| line.strip_prefix("env.NOTIFY_SOCKET=")).expect("the address");
    let program = sandbox.install(&testbed::speaker_path(), "other");
    let mut other = sandbox.command("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    other.args(["notify", "READY=1", "--to", socket, "--", "exit", "0"]);
    Run::new(other).done().expect_code(0);
    check(run.done()).expect_code(124);
    sandbox.finish();
}

#[test]
fn a_server_that_goes_on_talking_meets_no_trouble() {
    let sandbox = Sandbox::new();
    let report = path(&sandbox, "report");
    let server = ["notify", "READY=1", "--repeat-ms", "5", "--report", &report, "--lenient", "--", "stay"];
    ready(&sandbox, &["--until", "notify"], &server);
    let text = testbed::wait_for_text(&report, "errors=20", LONG);
    let slowest = text.lines().find_map(|line| line.strip_prefix("slowest_ms=")).expect("slowest_ms");
    assert!(slowest.parse::<u64>().expect("a number") < 1000, "{text}");
    end(sandbox);
}

#[test]
fn who_talks_without_end_does_not_keep_us_from_anything() {
    let sandbox = Sandbox::new();
    let server = ["notify", "STATUS=x", "--repeat-ms", "0", "--", "exit", "6", "--after-ms", "300"];
    start(&sandbox, &["--until", "notify"], &server).expect_code(6);
    sandbox.finish();
}

#[test]
fn the_callers_own_notify_socket_is_not_the_servers() {
    let sandbox = Sandbox::new();
    let manager = testbed::Manager::at(sandbox.path("manager"));
    let mut command = start_command(&sandbox, &["--until", "notify"], &["notify", "READY=1"]);
    manager.tell(&mut command);
    check(Run::new(command).done()).expect_code(0);
    assert!(manager.next(Duration::from_millis(100)).is_none(), "a start in the background is nothing to the manager");
    end(sandbox);
}

/// Who says READY=1 and then sends a barrier finds somebody to answer it: else systemd-notify would fail, and with it
/// a script that checks.
#[test]
fn a_barrier_right_behind_ready_is_always_answered() {
    for _ in testbed::rounds() {
        let sandbox = Sandbox::new();
        let done = path(&sandbox, "done");
        let server = ["notify", "READY=1", "--barrier", "--", "pid-file", &done, "--", "stay"];
        ready(&sandbox, &["--until", "notify"], &server);
        testbed::wait_for_path(&done, LONG);
        end(sandbox);
    }
}

/// Its name is a pid, and that may be nobody's in another pid namespace that shares the folder.
#[test]
fn the_socket_of_another_pid_namespace_is_left_alone() {
    if !is_root("another pid namespace") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.run("mkfifo", ["go"]).expect_code(0);
    let server = format!("echo up; read _ <go; exec {} notify READY=1 -- stay", testbed::speaker_path().display());
    let words = ["--until", "notify", "--chdir", &path(&sandbox, ""), "--", "sh", "-c", &server];
    let waiting = Run::new(onready(&sandbox, &words)).start();
    waiting.wait_stdout("up\n", LONG);
    let mut other = sandbox.command("unshare");
    other.args(["--pid", "--fork", "--mount-proc", "--kill-child", env!("CARGO_BIN_EXE_onready"), "--"]);
    other.arg(testbed::fixture_path()).arg("listen");
    Run::new(other).done().expect_code(0);
    std::fs::write(sandbox.path("go"), "\n").expect("let it go on");
    waiting.done().expect_code(0);
    end(sandbox);
}
