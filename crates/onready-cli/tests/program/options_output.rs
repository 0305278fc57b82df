//! Where the output goes: into files from birth, and to the caller, byte for byte.

use crate::common::*;
use std::process::{Command, Stdio};
use testbed::flood::{Kind, first_difference};

const SIZE: usize = 10_000_000;

/// A server that writes SIZE binary bytes to both streams, and then listens.
const FLOOD: [&str; 8] = ["flood", "--stdout", "10000000", "--stderr", "10000000", "--binary", "--", "listen"];

#[track_caller]
fn is_flood(bytes: &[u8], stream: Stream) {
    assert_eq!(bytes.len(), SIZE, "{stream:?}");
    assert_eq!(first_difference(bytes, stream, Kind::Binary), None, "{stream:?}");
}

#[test]
fn ten_megabytes_on_both_streams() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &[], &FLOOD).expect_code(0);
    is_flood(&run.stdout, Stream::Stdout);
    is_flood(&run.stderr, Stream::Stderr);
    for (name, stream) in [("stdout", Stream::Stdout), ("stderr", Stream::Stderr)] {
        let log = sandbox.state_dir().join(format!("onready/fixture/{name}.log"));
        is_flood(&std::fs::read(log).expect("the log"), stream);
    }
    end(sandbox);
}

#[test]
fn a_flood_and_then_an_end() {
    let sandbox = Sandbox::new();
    let server = ["flood", "--stdout", "10000000", "--stderr", "10000000", "--binary", "--", "exit", "3"];
    let run = start(&sandbox, &[], &server).expect_code(3);
    is_flood(&run.stdout, Stream::Stdout);
    assert_eq!(first_difference(&run.stderr[..SIZE], Stream::Stderr, Kind::Binary), None);
    assert!(String::from_utf8_lossy(&run.stderr[SIZE..]).starts_with("onready: fixture: it exited with code 3"));
    sandbox.finish();
}

#[test]
fn half_a_line() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &[], &["log-line", "--no-newline", "half a line", "--", "listen"]).expect_code(0);
    assert_eq!((run.out(), run.err()), ("half a line".into(), String::new()), "{run}");
    end(sandbox);
    let sandbox = Sandbox::new();
    let run =
        start(&sandbox, &[], &["exit", "3", "--stdout", "half", "--stderr", "words", "--no-newline"]).expect_code(3);
    assert_eq!(run.out(), "half");
    assert!(run.err().starts_with("words"), "{run}");
    sandbox.finish();
}

#[test]
fn quiet_passes_nothing_on_but_errors() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "out", "--", "log-line", "--stderr", "err", "--", "listen"];
    let run = start(&sandbox, &["-q"], &server).expect_code(0);
    assert_eq!((run.out(), run.err()), (String::new(), String::new()));
    end(sandbox);
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["-q"], &["exit", "3", "--stderr", "why"]).expect_code(3);
    assert_eq!(run.out(), "");
    assert!(run.err().starts_with("onready: fixture: it exited with code 3"), "{run}");
    assert!(run.err().contains("why"), "its last words are the reason: {run}");
    sandbox.finish();
}

#[test]
fn json_has_stdout_for_itself() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--json"], &["log-line", "out", "--", "listen"]).expect_code(0);
    assert_eq!(run.out().lines().count(), 1, "{run}");
    assert_eq!(run.err(), "out\n");
    end(sandbox);
}

#[test]
fn named_files_are_appended_to() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "out", "--", "log-line", "--stderr", "err", "--", "listen"];
    for (options, out, err) in [
        (&["--stdout", "o", "--stderr", "e"][..], "o", "e"),
        (&["--log", "both"], "both", "both"),
        (&["--stdout", "same", "--stderr", "same"], "same", "same"),
    ] {
        for name in [out, err] {
            std::fs::write(sandbox.path(name), "old\n").expect("an old log");
        }
        let outcome = ready(&sandbox, options, &server);
        let both = out == err;
        let read = |name| std::fs::read_to_string(sandbox.path(name)).expect("a log");
        assert_eq!(read(out), if both { "old\nout\nerr\n" } else { "old\nout\n" });
        assert_eq!(read(err), if both { "old\nout\nerr\n" } else { "old\nerr\n" });
        assert_eq!(outcome["stdout"], path(&sandbox, out));
        assert_eq!(outcome["stderr"], path(&sandbox, err));
        sandbox.kill_all();
    }
    end(sandbox);
}

#[test]
fn one_file_for_both_is_still_carried_as_two_streams() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "out", "50ms", "--", "log-line", "--stderr", "err", "50ms", "--", "listen"];
    let run = start(&sandbox, &["--log", "both"], &server).expect_code(0);
    assert_eq!((run.out(), run.err()), ("out\n".into(), "err\n".into()));
    end(sandbox);
}

#[test]
fn logs_may_lead_nowhere() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--log", "/dev/null"], &["log-line", "out", "--", "listen"]).expect_code(0);
    assert_eq!(run.out(), "");
    end(sandbox);
}

#[test]
fn what_it_writes_later_is_in_the_log_alone() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--log", "log"], &["write-after", "--text", "later", "--", "listen"]).expect_code(0);
    let length = std::fs::read(sandbox.path("log")).expect("the log").len();
    let more = testbed::watch_until(&sandbox.path("log"), LONG, || {
        std::fs::read(sandbox.path("log")).ok().filter(|log| log.len() > length)
    });
    assert!(more.expect("watch").is_some(), "the server is in trouble: {run}");
    end(sandbox);
}

#[test]
fn a_log_that_is_renamed_before_a_word_is_said_is_still_carried() {
    let sandbox = Sandbox::new();
    let log = sandbox.state_dir().join("onready/sh/stdout.log").display().to_string();
    let fixture = testbed::fixture_path().display().to_string();
    let script = format!("mv {log} moved; echo wrong >{log}; echo right; echo >&3; exec {fixture} stay");
    let run = Run::new(onready(&sandbox, &["--until", "fd:3", "--", "sh", "-c", &script])).done();
    assert_eq!(check(run).expect_code(0).out(), "right\n");
    sandbox.allow("moved");
    end(sandbox);
}

/// A start whose stdout nobody reads, and that is full after 64 KiB.
fn unread(mut command: Command) -> (std::process::Child, std::process::ChildStdout) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start");
    let stdout = child.stdout.take().expect("a pipe");
    (child, stdout)
}

#[test]
fn who_never_reads_loses_the_output_and_is_told_not_the_readiness() {
    let sandbox = Sandbox::new();
    let (child, stdout) = unread(start_command(&sandbox, &[], &["flood", "--stdout", "3000000", "--", "listen"]));
    let output = child.wait_with_output().expect("wait");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        err.contains("bytes of the server's stdout could not be delivered: nobody reads it; they are in "),
        "{err}"
    );
    assert_eq!(err.lines().count(), 1, "said once: {err}");
    drop(stdout);
    end(sandbox);
}

#[test]
fn who_reads_late_gets_everything_and_the_server_does_not_wait_for_it() {
    use std::io::Read;
    let sandbox = Sandbox::new();
    let done = path(&sandbox, "done");
    let server = ["flood", "--stdout", "10000000", "--binary", "--", "pid-file", &done, "--", "listen"];
    let (mut child, mut stdout) = unread(start_command(&sandbox, &[], &server));
    testbed::wait_for_path(&done, LONG);
    let mut all = Vec::new();
    stdout.read_to_end(&mut all).expect("read");
    assert_eq!(child.wait().expect("wait").code(), Some(0));
    is_flood(&all, Stream::Stdout);
    end(sandbox);
}

#[test]
fn a_reader_that_went_away() {
    let sandbox = Sandbox::new();
    let (child, stdout) =
        unread(start_command(&sandbox, &[], &["flood", "--stdout", "300000", "--", "listen", "--after-ms", "100"]));
    drop(stdout);
    let output = child.wait_with_output().expect("wait");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("Broken pipe"), "{err}");
    end(sandbox);
}

#[test]
fn closed_streams() {
    for fds in [&[1][..], &[2], &[0, 1, 2]] {
        let sandbox = Sandbox::new();
        let setup = fds.iter().fold(Setup::new(), |setup, &fd| setup.close(fd));
        let server = ["log-line", "out", "--", "log-line", "--stderr", "err", "--", "listen"];
        let run = Run::new(start_command(&sandbox, &["-n", "x"], &server)).setup(setup).done();
        let run = check(run).expect_code(0);
        let log = sandbox.state_dir().join("onready/x/stdout.log");
        assert_eq!(std::fs::read_to_string(log).expect("the log"), "out\n", "{run}");
        end(sandbox);
    }
}

#[test]
fn a_full_device_a_file_and_a_terminal() {
    let sandbox = Sandbox::new();
    let fixture = testbed::fixture_path();
    let line = format!("exec {} -- {} log-line hello -- listen", env!("CARGO_BIN_EXE_onready"), fixture.display());
    let run = sandbox.run("sh", ["-c", &format!("{line} >/dev/full")]).expect_code(0);
    assert!(run.err().contains("6 bytes of the server's stdout could not be delivered: No space left"), "{run}");
    sandbox.run("sh", ["-c", &format!("echo before >file; {line} >>file")]).expect_code(0);
    assert_eq!(std::fs::read_to_string(sandbox.path("file")).expect("the file"), "before\nhello\n");
    end(sandbox);
}

#[test]
fn a_grandchild_that_holds_the_streams_delays_nothing() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &[], &["hold", "--seconds", "50", "--own-session", "--", "listen"]).expect_code(0);
    assert!(run.exited_at < AT_ONCE, "{run}");
    end(sandbox);
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &[], &["hold", "--seconds", "50", "--own-session", "--", "exit", "3"]).expect_code(3);
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
}

#[test]
fn one_file_for_both_with_a_writer_that_opened_it_again() {
    let sandbox = Sandbox::new();
    let script = "echo out; echo other >>both; echo err >&2; exec sleep 60";
    let options = ["--log", "both", "--until", "log:err", "--", "sh", "-c", script];
    let run = check(Run::new(onready(&sandbox, &options)).done()).expect_code(0);
    let mut lines: Vec<String> =
        [run.out(), run.err()].iter().flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["err", "other", "out"], "{run}");
    end(sandbox);
}

/// However the looks fall between the writes, each line is told as its own stream's.
#[test]
fn one_file_for_both_never_mixes_two_lines() {
    for _ in testbed::rounds() {
        let sandbox = Sandbox::new();
        let server = ["log-line", "out", "2ms", "--", "log-line", "--stderr", "err", "--", "exit", "0"];
        let run = start(&sandbox, &["--log", "both"], &server).expect_code(125);
        assert_eq!(run.out(), "out\n", "{run}");
        assert!(run.err().starts_with("err\nonready: "), "{run}");
        sandbox.finish();
    }
}
