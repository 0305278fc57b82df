//! Callers that do not read: no panic, no lost readiness, no dead server.

use crate::common::*;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use testbed::flood::{Kind, first_difference};

/// Runs it with a stdout that nobody reads, and that is full after 64 KiB.
fn start_unread(mut command: Command) -> (Child, std::process::ChildStdout) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start");
    let unread = child.stdout.take().expect("a pipe");
    (child, unread)
}

#[test]
fn who_never_reads_loses_the_output_and_is_told_not_the_readiness() {
    let sandbox = Sandbox::new();
    let (child, unread) = start_unread(server(&sandbox, ["daemonize", "enter", "flood=3000000", "notify", "stay"]));
    let output = child.wait_with_output().expect("wait");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("bytes of the server's stdout could not be delivered: nobody reads it"), "{err}");
    assert_eq!(err.lines().count(), 1, "said once: {err}");
    drop(unread);
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_server_does_not_wait_for_who_does_not_read() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "enter", "flood=3000000", "touch=done", "notify", "stay"];
    let (mut child, unread) = start_unread(server(&sandbox, steps));
    testbed::wait_for_path(sandbox.path("done"), LONG);
    drop(unread);
    assert_eq!(child.wait().expect("wait").code(), Some(0));
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn who_reads_late_gets_everything() {
    use std::io::Read;
    const SIZE: usize = 3_000_000;
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "enter", &format!("flood={SIZE}"), "touch=done", "notify", "stay"];
    let (mut child, mut late) = start_unread(server(&sandbox, steps));
    testbed::wait_for_path(sandbox.path("done"), LONG);
    let mut all = Vec::new();
    late.read_to_end(&mut all).expect("read");
    assert_eq!(child.wait().expect("wait").code(), Some(0));
    assert_eq!(all.len(), SIZE);
    assert_eq!(first_difference(&all, Stream::Stdout, Kind::Binary), None);
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_reader_that_went_away() {
    let sandbox = Sandbox::new();
    let (child, unread) =
        start_unread(server(&sandbox, ["daemonize", "enter", "wait-for=gone", "flood=300000", "notify", "stay"]));
    drop(unread);
    std::fs::write(sandbox.path("gone"), "").expect("say so");
    let output = child.wait_with_output().expect("wait");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_eq!(err, "script: 300000 bytes of the server's stdout could not be delivered: Broken pipe (os error 32)\n");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_full_disk() {
    let sandbox = Sandbox::new();
    let line = format!("exec {} daemonize enter out=hello notify stay >/dev/full", example("script").display());
    let run = sandbox.run("sh", ["-c", &line]).expect_code(0);
    assert!(run.err().contains("5 bytes of the server's stdout could not be delivered: No space left"), "{run}");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_limit_on_the_size_of_files() {
    let sandbox = Sandbox::new();
    let line = format!("exec {} daemonize enter if-server flood=50000 notify stay >out", example("script").display());
    let mut command = sandbox.command("sh");
    command.args(["-c", &line]);
    let run = Run::new(command).setup(Setup::new().limit_file_size(8192)).done().expect_code(0);
    assert!(run.err().contains("bytes of the server's stdout could not be delivered: File too large"), "{run}");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn both_streams_full() {
    // Even the reason for a failure cannot be told: the code is all that is left.
    let sandbox = Sandbox::new();
    let line = format!("exec {} daemonize enter flood=3000000 notify stay 2>&1", example("script").display());
    let mut command = sandbox.command("sh");
    command.args(["-c", &line]).process_group(0);
    let (mut child, unread) = start_unread(command);
    assert_eq!(child.wait().expect("wait").code(), Some(0));
    drop(unread);
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn ctrl_c_while_nobody_reads_ends_the_server() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "enter", "flood=3000000", "touch=done", "stay"];
    let (child, unread) = start_unread(server(&sandbox, steps));
    testbed::wait_for_path(sandbox.path("done"), LONG);
    let pid = i32::try_from(child.id()).expect("a pid");
    testbed::send_signal(pid, "INT");
    let output = child.wait_with_output().expect("wait");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("could not be delivered"), "{err}");
    drop(unread);
    sandbox.finish();
}

#[test]
fn a_second_ctrl_c_gives_up_the_output_at_once_and_says_what_is_lost() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "enter", "flood=3000000", "touch=done", "exit=3"];
    let (child, unread) = start_unread(server(&sandbox, steps));
    testbed::wait_for_path(sandbox.path("done"), LONG);
    let pid = i32::try_from(child.id()).expect("a pid");
    // The server is dead, or will be in a moment, and its output waits for us.
    while sandbox.processes().len() > 1 {
        std::thread::yield_now();
    }
    let since = std::time::Instant::now();
    testbed::send_signal(pid, "INT");
    let output = child.wait_with_output().expect("wait");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(3 | 130)), "{err}");
    assert!(err.contains("bytes of the server's stdout could not be delivered"), "{err}");
    assert!(since.elapsed() < AT_ONCE);
    drop(unread);
    sandbox.finish();
}

#[test]
fn a_closed_stdout_is_no_trouble() {
    let sandbox = Sandbox::new();
    let command = server(&sandbox, ["daemonize", "enter", "lines=100", "notify", "stay"]);
    let run = Run::new(command).setup(Setup::new().close(1)).done().expect_code(0).expect_free();
    assert_eq!(run.err(), (0..100).map(|n| format!("err {n}\n")).collect::<String>());
    stop(only_process(&sandbox));
    sandbox.finish();
}
