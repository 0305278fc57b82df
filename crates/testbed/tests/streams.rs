//! A run must know exit, end of stream and order, and report what it killed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use testbed::flood::{Kind, first_difference};
use testbed::{Run, Sandbox, Stream};

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn exit_and_end_of_stream_come_together_when_nobody_holds_them() {
    let sandbox = Sandbox::new();
    let run = Run::new(sandbox.fixture(["exit", "7", "--stdout", "a", "--stderr", "b"])).done();
    assert_eq!((run.code, run.signal), (Some(7), None));
    assert_eq!((run.stdout.as_slice(), run.stderr.as_slice()), (&b"a\n"[..], &b"b\n"[..]));
    assert!(run.eof && run.eof_at.is_some() && run.holders.is_empty());
    sandbox.finish();
}

#[test]
fn a_held_stream_is_no_end_and_the_holder_is_named() {
    for (streams, out, err) in [("both", true, true), ("stdout", true, false), ("stderr", false, true)] {
        let sandbox = Sandbox::new();
        let words = ["hold", "--streams", streams, "--own-session", "--", "exit", "0", "--stdout", "bye"];
        let run = Run::new(sandbox.fixture(words)).done().expect_code(0);
        assert!(!run.eof, "{streams}: {run}");
        assert_eq!(run.stdout_eof_at.is_none(), out, "{streams}");
        assert_eq!(run.stderr_eof_at.is_none(), err, "{streams}");
        let (pid, fd, line) = run.holders.first().expect("a holder");
        assert!(line.contains("stay") && sandbox.processes()[0].0 == *pid, "{line}");
        assert_eq!(*fd, if out { 1 } else { 2 });
        assert_eq!(run.out(), "bye\n");
        assert!(run.exited_at < Duration::from_secs(5));
        let failed = catch_unwind(AssertUnwindSafe(|| run.expect_free()));
        assert!(failed.is_err());
        sandbox.kill_all();
    }
}

#[test]
fn a_held_stdin_is_seen() {
    let sandbox = Sandbox::new();
    let held = Run::new(sandbox.fixture(["hold", "--streams", "all", "--", "exit"])).stdin_pipe().done();
    assert_eq!(held.stdin_held, Some(true));
    sandbox.kill_all();
    let free = Run::new(sandbox.fixture(["exit"])).stdin_pipe().done();
    assert_eq!(free.stdin_held, Some(false));
    assert_eq!(Run::new(sandbox.fixture(["exit"])).done().stdin_held, None);
    sandbox.finish();
}

#[test]
fn chunks_keep_their_order_and_times() {
    let sandbox = Sandbox::new();
    let words = ["log-line", "one", "60ms", "--", "log-line", "--stderr", "two", "60ms", "--"];
    let words = words.into_iter().chain(["exit", "0", "--stdout", "three"]);
    let run = Run::new(sandbox.fixture(words)).done().expect_code(0);
    let seen: Vec<_> = run.chunks.iter().map(|chunk| (chunk.stream, chunk.bytes.as_slice())).collect();
    let right: [(Stream, &[u8]); 3] =
        [(Stream::Stdout, b"one\n"), (Stream::Stderr, b"two\n"), (Stream::Stdout, b"three\n")];
    assert_eq!(seen, right);
    let gap = run.chunks[1].at - run.chunks[0].at;
    assert!(gap >= Duration::from_millis(40), "{gap:?}");
    sandbox.finish();
}

#[test]
fn a_death_by_signal_is_told_apart_from_a_code() {
    let sandbox = Sandbox::new();
    for (name, number) in [("TERM", 15), ("SEGV", 11), ("KILL", 9), ("PIPE", 13)] {
        let run = Run::new(sandbox.fixture(["die", name])).done();
        assert_eq!((run.code, run.signal), (None, Some(number)), "{run}");
    }
    sandbox.finish();
}

#[test]
fn a_run_over_its_limit_is_killed_and_shown() {
    let sandbox = Sandbox::new();
    let run = Run::new(sandbox.fixture(["log-line", "begun", "--", "stay"]));
    let running = run.limit(Duration::from_millis(300)).start();
    let pid = running.pid();
    let panic = catch_unwind(AssertUnwindSafe(|| running.done())).expect_err("it fails");
    let text = panic.downcast_ref::<String>().expect("text");
    assert!(text.contains("was killed") && text.contains("begun"), "{text}");
    assert!(!testbed::alive(pid));
    sandbox.finish();
}

#[test]
fn a_run_that_is_dropped_is_killed() {
    let sandbox = Sandbox::new();
    let running = Run::new(sandbox.fixture(["stay"])).start();
    drop(running);
    sandbox.finish();
}

#[test]
fn a_missing_text_is_reported_with_what_came() {
    let sandbox = Sandbox::new();
    let running = Run::new(sandbox.fixture(["log-line", "--stderr", "begun", "--", "stay"])).start();
    assert_eq!(running.wait_stderr("begun", LIMIT), "begun\n");
    let wait = || running.wait_stdout("never", Duration::from_millis(50));
    let panic = catch_unwind(AssertUnwindSafe(wait)).expect_err("it fails");
    let text = panic.downcast_ref::<String>().expect("text");
    assert!(text.contains("never") && text.contains("begun"), "{text}");
    assert!(!running.wait_exit(Duration::from_millis(10)));
    assert!(running.signal("TERM"));
    assert_eq!(running.done().signal, Some(15));
    sandbox.finish();
}

#[test]
fn a_flood_arrives_whole_on_both_streams() {
    let sandbox = Sandbox::new();
    for (flag, kind) in [("", Kind::Lines), ("--one-line", Kind::OneLine), ("--binary", Kind::Binary)] {
        let words = ["flood", "--stdout", "3000001", "--stderr", "2000003"];
        let flag = Some(flag).filter(|flag| !flag.is_empty());
        let words = words.into_iter().chain(flag).chain(["--", "exit", "0"]);
        let run = Run::new(sandbox.fixture(words)).done();
        assert_eq!((run.code, run.stdout.len(), run.stderr.len()), (Some(0), 3_000_001, 2_000_003));
        assert_eq!(first_difference(&run.stdout, Stream::Stdout, kind), None);
        assert_eq!(first_difference(&run.stderr, Stream::Stderr, kind), None);
    }
    sandbox.finish();
}

#[test]
fn input_is_read_and_ends() {
    let sandbox = Sandbox::new();
    let run = Run::new(sandbox.command("cat")).input("some words").done().expect_code(0);
    assert_eq!(run.stdout, b"some words");
    sandbox.finish();
}

#[test]
fn an_endless_writer_does_not_keep_a_run_from_ending() {
    let sandbox = Sandbox::new();
    let words = ["child", "--setsid", "--leave", "0", "--", "flood", "--stdout", "1", "--endless"];
    let run = Run::new(sandbox.fixture(words)).done().expect_code(0);
    assert!(!run.eof);
    // Our end of the pipe is closed now, so the flood ends by SIGPIPE, as a C program would.
    assert!(sandbox.wait_empty(LIMIT));
    sandbox.finish();
}
