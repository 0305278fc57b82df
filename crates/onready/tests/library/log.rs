//! The log: start-up output and later output, in one file, in order.

use crate::common::*;
use std::fs;

fn content(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("log")).expect("read the log")
}

#[test]
fn the_start_and_what_comes_later() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("log"), "yesterday\n").expect("write");
    let steps = [
        "log=log",
        "enter",
        "out=starting\\n",
        "err=a warning\\n",
        "say-pid",
        "notify",
        "out=serving\\n",
        "err=oops\\n",
    ];
    let run = daemonize(&sandbox, &[&steps[..], &["out=end\\n", "stay"]].concat()).expect_code(0).expect_free();
    let pid = pid(&run);
    assert_eq!((run.out(), run.err()), (format!("starting\npid={pid}\n"), "a warning\n".into()), "nothing of later");
    let log = testbed::wait_for_text(sandbox.path("log"), "end\n", LONG);
    let (start, later) = log.split_at(log.find("serving").expect("later output"));
    assert!(start.starts_with("yesterday\n"), "appended: {log}");
    for line in ["starting\n", "a warning\n", &format!("pid={pid}\n")] {
        assert!(start.contains(line), "{line} before serving: {log}");
    }
    assert_eq!(later, "serving\noops\nend\n");
    stop(pid);
    sandbox.finish();
}

#[test]
fn order_holds_though_the_start_was_long() {
    let sandbox = Sandbox::new();
    for _ in 0..5 {
        let run =
            daemonize(&sandbox, &["log=log", "enter", "flood=400000", "notify", "out=END", "stay"]).expect_code(0);
        assert_eq!(run.stdout.len(), 400_000);
        testbed::watch_until(&sandbox.path("log"), LONG, || {
            fs::read(sandbox.path("log")).ok().filter(|all| all.ends_with(b"END"))
        })
        .expect("watch");
        let log = fs::read(sandbox.path("log")).expect("read");
        assert_eq!((log.len(), log.ends_with(b"END")), (400_003, true));
        assert!(log[..400_000] == run.stdout[..], "byte for byte");
        stop(only_process(&sandbox));
        fs::remove_file(sandbox.path("log")).expect("remove");
    }
    sandbox.finish();
}

#[test]
fn a_failure_is_in_it_too() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["log=log", "enter", "err=cannot bind\\n", "exit=3"]).expect_code(3);
    assert!(run.err().starts_with("cannot bind\n"), "{run}");
    assert_eq!(content(&sandbox), "cannot bind\n");
    sandbox.finish();
}

#[test]
fn streams_1_and_2_append_to_it() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["log=log", "enter", "say-pid", "notify", "stay"]).expect_code(0);
    let server = look_at_with(pid(&run), 3);
    let log = sandbox.path("log").to_string_lossy().into_owned();
    let fds: Vec<_> = server.fds.iter().map(|(fd, target)| (*fd, target.as_str())).collect();
    assert_eq!(fds, [(0, "/dev/null"), (1, log.as_str()), (2, log.as_str())]);
    let flags = fs::read_to_string(format!("/proc/{}/fdinfo/1", server.pid)).expect("read");
    assert!(
        flags.lines().any(|line| line.starts_with("flags:") && line.ends_with("02001")),
        "O_APPEND|O_WRONLY: {flags}"
    );
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn a_relative_path_is_the_caller_s() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("there")).expect("make");
    let run =
        daemonize(&sandbox, &["dir=there", "log=log", "enter", "say-pid", "notify", "out=x", "stay"]).expect_code(0);
    testbed::wait_for_text(sandbox.path("log"), "x", LONG);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn one_that_cannot_be_opened_is_a_clear_error() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["log=no/log", "enter", "touch=started", "notify"]).expect_code(125);
    assert_eq!(run.err(), "script: cannot open the log no/log: No such file or directory (os error 2)\n");
    assert!(!sandbox.path("started").exists());
    sandbox.finish();
}

#[test]
fn no_fifo() {
    let sandbox = Sandbox::new();
    let _ = sandbox.run("mkfifo", ["log"]).expect_code(0);
    let run = daemonize(&sandbox, &["log=log", "enter", "notify"]).expect_code(125);
    assert_eq!(run.err(), "script: cannot open the log log: it is a FIFO or a socket, not a file\n");
    sandbox.finish();
}

#[test]
fn a_link_of_ours_is_followed_a_stranger_s_is_not() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink("elsewhere", sandbox.path("log")).expect("link");
    let run = daemonize(&sandbox, &["log=log", "enter", "out=x", "exit=3"]).expect_code(3);
    assert!(run.err().contains("code 3"));
    assert_eq!(content(&sandbox), "x");
    if is_root("to make a link of another user") {
        std::os::unix::fs::lchown(sandbox.path("log"), Some(65534), None).expect("chown");
        let run = daemonize(&sandbox, &["log=log", "enter", "notify"]).expect_code(125);
        assert!(run.err().contains("it is a symbolic link that belongs to another user (uid 65534)"), "{run}");
    }
    sandbox.finish();
}

#[test]
fn a_full_disk_is_said_and_no_reason_to_fail() {
    let sandbox = Sandbox::new();
    let run =
        daemonize(&sandbox, &["log=/dev/full", "enter", "out=hello\\n", "say-pid", "notify", "stay"]).expect_code(0);
    assert!(run.out().starts_with("hello\n"), "the caller has it: {run}");
    assert_eq!(run.err(), "script: cannot write the log /dev/full: No space left on device (os error 28)\n");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn without_one_later_output_goes_nowhere_and_hurts_nobody() {
    let sandbox = Sandbox::new();
    let done = format!("touch={}", sandbox.path("done").display());
    let steps = ["enter", "say-pid", "notify", "flood=1000000", "print=x", "err=y", &done, "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    testbed::wait_for_path(sandbox.path("done"), LONG);
    assert_eq!(run.out(), format!("pid={}\n", pid(&run)));
    stop(pid(&run));
    sandbox.finish();
}
