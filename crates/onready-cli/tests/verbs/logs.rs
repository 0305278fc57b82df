//! `logs`: the bytes as they are, the lines of ours on stderr.

use crate::common::*;

fn log_path(sandbox: &Sandbox, stream: &str) -> std::path::PathBuf {
    sandbox.state_dir().join("onready/web").join(format!("{stream}.log"))
}

/// A server that listens, and prints what is put into its log by the test.
fn quiet_server(sandbox: &Sandbox) {
    ready(sandbox, &["-n", "web"], &LISTEN);
}

fn append(sandbox: &Sandbox, stream: &str, text: &str) {
    use std::io::Write;
    let mut file = std::fs::File::options().append(true).open(log_path(sandbox, stream)).expect("the log");
    file.write_all(text.as_bytes()).expect("write");
}

#[test]
fn the_last_lines_of_each_stream_are_shown() {
    let sandbox = Sandbox::new();
    let line = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo out $i; echo err $i >&2; done";
    let line = format!("{line}; exec {} listen", testbed::fixture_path().display());
    onready(&sandbox, &["-n", "web", "--", "sh", "-c", &line]).expect_code(0);
    let lines = |word: &str, from: i32| (from..=12).map(|n| format!("{word} {n}\n")).collect::<String>();

    let run = onready(&sandbox, &["logs", "web"]).expect_code(0);
    assert_eq!(run.out(), lines("out", 3) + &lines("err", 3));
    assert_eq!(run.err(), "onready: stdout of web:\nonready: stderr of web:\n");
    let run = onready(&sandbox, &["logs", "-n", "2", "--stdout", "web"]).expect_code(0);
    assert_eq!((run.out(), run.err()), (lines("out", 11), String::new()));
    let run = onready(&sandbox, &["logs", "-n", "2", "--stderr", "web"]).expect_code(0);
    assert_eq!(run.out(), lines("err", 11));
    let run = onready(&sandbox, &["logs", "-n", "1000", "--stderr", "web"]).expect_code(0);
    assert_eq!(run.out(), lines("err", 1));
    assert!(run.err().starts_with("onready: web, started 2"), "{run}");
    assert_eq!(onready(&sandbox, &["logs", "-n", "0", "web"]).expect_code(0).out(), "");
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn a_restart_is_marked_between_the_lines() {
    let sandbox = Sandbox::new();
    let line = format!("echo hello; exec {} listen", testbed::fixture_path().display());
    onready(&sandbox, &["-n", "web", "--", "sh", "-c", &line]).expect_code(0);
    onready(&sandbox, &["restart", "web"]).expect_code(0);
    let run = onready(&sandbox, &["logs", "-n", "100", "--stdout", "web"]).expect_code(0);
    assert_eq!(run.out(), "hello\nhello\n");
    assert_eq!(run.err().matches("onready: web, started 2").count(), 2, "{run}");
    stop(&sandbox, "web");
    end(sandbox);
}

/// Else whoever looks would wonder whether it has looked at all.
#[test]
fn that_nothing_was_printed_is_said() {
    let sandbox = Sandbox::new();
    quiet_server(&sandbox);
    let run = onready(&sandbox, &["logs", "web"]).expect_code(0);
    assert_eq!((run.out().as_str(), run.err().as_str()), ("", "onready: web: nothing was printed so far\n"));
    append(&sandbox, "stderr", "late\n");
    let run = onready(&sandbox, &["logs", "web"]).expect_code(0);
    assert_eq!(run.out(), "late\n");
    assert!(!run.err().contains("nothing"), "{run}");
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn bytes_that_are_no_text_are_shown_as_they_are() {
    let sandbox = Sandbox::new();
    quiet_server(&sandbox);
    std::fs::write(log_path(&sandbox, "stdout"), b"\xff\0\x1b[31m\nhalf").expect("write");
    let run = onready(&sandbox, &["logs", "--stdout", "web"]).expect_code(0);
    assert_eq!(run.stdout, b"\xff\0\x1b[31m\nhalf");
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn an_unknown_name_is_4_and_a_forgotten_one_still_has_its_logs() {
    let sandbox = Sandbox::new();
    let run = onready(&sandbox, &["logs", "nobody"]).expect_code(4);
    assert_eq!(run.err(), "onready: no logs of a server called nobody\n");
    onready(&sandbox, &["logs", "../../etc"]).expect_code(4);
    quiet_server(&sandbox);
    append(&sandbox, "stdout", "remember me\n");
    stop(&sandbox, "web");
    // As at a reboot: the runtime directory is memory.
    std::fs::remove_dir_all(state_path(&sandbox)).expect("remove");
    assert_eq!(onready(&sandbox, &["logs", "web"]).expect_code(0).out(), "remember me\n");
    end(sandbox);
}

#[test]
fn logs_that_were_given_are_found_also_if_both_streams_share_one() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("both.log");
    let line = format!("echo out; echo err >&2; exec {} listen", testbed::fixture_path().display());
    let log = path.to_str().expect("UTF-8");
    onready(&sandbox, &["-n", "web", "--log", log, "--", "sh", "-c", &line]).expect_code(0);
    let run = onready(&sandbox, &["logs", "web"]).expect_code(0);
    assert_eq!((run.out(), run.err()), ("out\nerr\n".into(), String::new()));
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn following_survives_truncation_rotation_and_a_restart() {
    let sandbox = Sandbox::new();
    quiet_server(&sandbox);
    append(&sandbox, "stdout", "before\n");
    let run = Run::new(command(&sandbox, &["logs", "-f", "--stdout", "web"])).start();
    run.wait_stdout("before\n", LONG);
    append(&sandbox, "stdout", "one\n");
    run.wait_stdout("before\none\n", LONG);

    std::fs::write(log_path(&sandbox, "stdout"), "").expect("truncate");
    run.wait_stderr("stdout of web was truncated", LONG);
    append(&sandbox, "stdout", "two\n");
    run.wait_stdout("before\none\ntwo\n", LONG);

    let aside = log_path(&sandbox, "stdout").with_file_name("stdout.log.1");
    std::fs::rename(log_path(&sandbox, "stdout"), &aside).expect("rename");
    // The server still writes into the file that was put aside.
    let mut old = std::fs::File::options().append(true).open(&aside).expect("the old log");
    std::io::Write::write_all(&mut old, b"three\n").expect("write");
    run.wait_stdout("two\nthree\n", LONG);
    std::fs::write(log_path(&sandbox, "stdout"), "four\n").expect("a new log");
    run.wait_stdout("three\nfour\n", LONG);

    onready(&sandbox, &["restart", "web"]).expect_code(0);
    append(&sandbox, "stdout", "five\n");
    let all = run.wait_stdout("four\nfive\n", LONG);
    assert_eq!(all, "before\none\ntwo\nthree\nfour\nfive\n");
    run.wait_stderr("web, started 2", LONG);
    run.signal("INT");
    assert_eq!(run.done().signal, Some(2));
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn following_ends_when_nobody_reads_it_any_more() {
    let sandbox = Sandbox::new();
    quiet_server(&sandbox);
    append(&sandbox, "stdout", "first\n");
    let line = format!("{} logs -f web | head -n 1", program().display());
    // head has its line and ends; nothing more is ever written.
    let run = sandbox.run("sh", ["-c", &line]).expect_code(0);
    assert_eq!(run.out(), "first\n");
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn following_costs_nothing_while_nothing_happens() {
    let sandbox = Sandbox::new();
    quiet_server(&sandbox);
    append(&sandbox, "stdout", "first\n");
    let run = Run::new(command(&sandbox, &["logs", "-f", "web"])).start();
    run.wait_stdout("first\n", LONG);
    let stat = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let switches = |text: &str| text.lines().find(|line| line.starts_with("voluntary")).map(str::to_owned);
    wait_until_asleep(run.pid());
    let before = switches(&stat(run.pid()));
    // It is the absence of something that is looked for.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(switches(&stat(run.pid())), before, "it woke up for nothing");
    run.signal("TERM");
    assert_eq!(run.done().signal, Some(15));
    stop(&sandbox, "web");
    end(sandbox);
}

fn wait_until_asleep(pid: i32) {
    let since = Instant::now();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(100) {
        if Process::of(pid).expect("it runs").state != 'S' {
            last = Instant::now();
        }
        assert!(since.elapsed() < LONG);
    }
}

#[test]
fn large_logs_are_put_aside_at_a_start_and_still_shown() {
    let sandbox = Sandbox::new();
    quiet_server(&sandbox);
    append(&sandbox, "stdout", "old\n");
    let filler = std::fs::File::options().write(true).open(log_path(&sandbox, "stderr")).expect("the log");
    filler.set_len(9 << 20).expect("room");
    onready(&sandbox, &["restart", "web"]).expect_code(0);
    append(&sandbox, "stdout", "new\n");
    assert_eq!(std::fs::metadata(log_path(&sandbox, "stderr")).expect("there").len(), 0);
    let run = onready(&sandbox, &["logs", "--stdout", "web"]).expect_code(0);
    assert_eq!(run.out(), "old\nnew\n");
    stop(&sandbox, "web");
    end(sandbox);
}
