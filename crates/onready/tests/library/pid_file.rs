//! One instance: the pid file.

use crate::common::*;
use std::fs;

const STEPS: [&str; 5] = ["pid-file=pid", "enter", "say-pid", "notify", "stay"];

fn content(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("pid")).expect("read the pid file")
}

#[test]
fn it_holds_the_pid_when_the_launcher_returns() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &STEPS).expect_code(0);
    assert_eq!(content(&sandbox), format!("{}\n", pid(&run)));
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_second_start_fails_at_once_and_disturbs_nothing() {
    let sandbox = Sandbox::new();
    let first = pid(&daemonize(&sandbox, &STEPS).expect_code(0));
    let second = daemonize(&sandbox, &["pid-file=pid", "log=log", "enter", "touch=started", "notify"]).expect_code(69);
    assert_eq!(second.err(), format!("script: already running (pid {first}, pid)\n"));
    assert!(second.exited_at < AT_ONCE && second.stdout.is_empty(), "{second}");
    assert!(!sandbox.path("started").exists(), "nothing was started");
    assert!(!sandbox.path("log").exists(), "nor opened");
    assert_eq!(content(&sandbox), format!("{first}\n"));
    assert_eq!(only_process(&sandbox), first);
    stop(first);
    sandbox.finish();
}

#[test]
fn while_the_first_is_still_starting() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "pid-file=pid", "enter", "out=up\\n", "say-pid", "wait-for=go", "notify", "stay"];
    let first = Run::new(server(&sandbox, steps)).start();
    first.wait_stdout("pid=", LONG);
    let second = daemonize(&sandbox, &STEPS).expect_code(69);
    fs::write(sandbox.path("go"), "").expect("say go");
    let first = first.done().expect_code(0);
    assert_eq!(second.err(), format!("script: already running (pid {}, pid)\n", pid(&first)));
    stop(pid(&first));
    sandbox.finish();
}

#[test]
fn many_at_once_are_one() {
    let sandbox = Sandbox::new();
    let command = || server(&sandbox, ["daemonize", "pid-file=pid", "enter", "sleep=100", "say-pid", "notify", "stay"]);
    let all: Vec<_> = (0..12).map(|_| Run::new(command()).start()).collect();
    let codes: Vec<_> = all.into_iter().map(|run| run.done().code).collect();
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Some(69)).count(), 11, "{codes:?}");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn what_an_earlier_server_left_is_no_obstacle() {
    let sandbox = Sandbox::new();
    // A pid that lives and is somebody else's, too: only the lock counts.
    let own = format!("{}\n", std::process::id());
    for left in ["999999999\n", "", "\0\0garbage", "-1\n", &own] {
        fs::write(sandbox.path("pid"), left).expect("write");
        let run = daemonize(&sandbox, &STEPS).expect_code(0);
        assert_eq!(content(&sandbox), format!("{}\n", pid(&run)), "after {left:?}");
        stop(pid(&run));
    }
    sandbox.finish();
}

#[test]
fn after_the_server_s_end_the_next_start_works_at_once() {
    let sandbox = Sandbox::new();
    for _ in 0..5 {
        stop(pid(&daemonize(&sandbox, &STEPS).expect_code(0)));
    }
    assert!(sandbox.path("pid").exists(), "a server that is killed cannot remove it");
    sandbox.finish();
}

#[test]
fn a_failed_start_takes_it_away() {
    let sandbox = Sandbox::new();
    let _ = daemonize(&sandbox, &["pid-file=pid", "enter", "exit=3"]).expect_code(3);
    assert!(!sandbox.path("pid").exists());
    let _ = daemonize(&sandbox, &["pid-file=pid", "timeout=100", "enter", "stay"]).expect_code(124);
    assert!(!sandbox.path("pid").exists());
    sandbox.finish();
}

#[test]
fn no_link_is_followed() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("precious"), "precious").expect("write");
    std::os::unix::fs::symlink(sandbox.path("precious"), sandbox.path("pid")).expect("link");
    let run = daemonize(&sandbox, &STEPS).expect_code(125);
    assert_eq!(run.err(), "script: cannot open the pid file pid: it is a symbolic link, which is not followed here\n");
    assert_eq!(fs::read(sandbox.path("precious")).expect("read"), b"precious");
    fs::remove_file(sandbox.path("pid")).expect("remove");
    fs::hard_link(sandbox.path("precious"), sandbox.path("pid")).expect("link");
    let run = daemonize(&sandbox, &STEPS).expect_code(125);
    assert!(run.err().contains("it has a second name"), "{run}");
    assert_eq!(fs::read(sandbox.path("precious")).expect("read"), b"precious");
    sandbox.finish();
}

#[test]
fn neither_a_fifo_nor_a_directory() {
    let sandbox = Sandbox::new();
    let _ = sandbox.run("mkfifo", ["pid"]).expect_code(0);
    let run = daemonize(&sandbox, &STEPS).expect_code(125);
    assert_eq!(run.err(), "script: cannot open the pid file pid: it is not a regular file\n");
    fs::remove_file(sandbox.path("pid")).expect("remove");
    fs::create_dir(sandbox.path("pid")).expect("make");
    let run = daemonize(&sandbox, &STEPS).expect_code(125);
    assert_eq!(run.err(), "script: cannot open the pid file pid: Is a directory (os error 21)\n");
    sandbox.finish();
}

#[test]
fn no_file_of_another_user() {
    if !is_root("to make a file of another user") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("pid"), "1\n").expect("write");
    std::os::unix::fs::chown(sandbox.path("pid"), Some(65534), None).expect("chown");
    let run = daemonize(&sandbox, &STEPS).expect_code(125);
    assert_eq!(run.err(), "script: cannot open the pid file pid: it belongs to another user (uid 65534)\n");
    assert_eq!(content(&sandbox), "1\n");
    sandbox.finish();
}

#[test]
fn a_directory_that_does_not_exist() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["pid-file=no/pid", "enter", "notify"]).expect_code(125);
    assert_eq!(run.err(), "script: cannot open the pid file no/pid: No such file or directory (os error 2)\n");
    sandbox.finish();
}

#[test]
fn one_that_cannot_be_written_is_a_failure_and_nothing_is_left() {
    let sandbox = Sandbox::new();
    let command = server(&sandbox, ["daemonize", "pid-file=pid", "enter", "notify", "stay"]);
    let run = Run::new(command).setup(Setup::new().limit_file_size(0)).done().expect_code(125);
    assert!(run.err().contains("cannot write the pid file pid: File too large"), "{run}");
    assert!(!sandbox.path("pid").exists());
    sandbox.finish();
}

#[test]
fn the_lock_is_the_server_s_alone() {
    let sandbox = Sandbox::new();
    let later = format!("quiet-sh&=: >{}; exec sleep 60", sandbox.path("later").display());
    let early = "quiet-sh&=: >early; exec sleep 60";
    let steps = ["pid-file=pid", "enter", early, "wait-for=early", "say-pid", "notify", &later, "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    testbed::wait_for_path(sandbox.path("later"), LONG);
    let file = fs::File::open(sandbox.path("pid")).expect("open");
    assert!(!is_free(&file), "held while the server lives");
    stop(pid(&run));
    assert!(is_free(&file), "no worker holds it");
    assert_eq!(sandbox.kill_all(), 2);
    sandbox.finish();
}

#[test]
fn a_relative_path_is_the_caller_s() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("there")).expect("make");
    let run = daemonize(&sandbox, &[&["dir=there"], &STEPS[..]].concat()).expect_code(0);
    assert_eq!(content(&sandbox), format!("{}\n", pid(&run)));
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn in_the_foreground_it_is_not_used() {
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["pid-file=pid", "enter", "notify", "exit=0"])).done();
    let _ = run.expect_code(0);
    assert!(!sandbox.path("pid").exists());
    sandbox.finish();
}
