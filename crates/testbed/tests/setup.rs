//! `Setup` must really change the process, and change nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;
use testbed::{Finished, Process, Run, Sandbox, Setup, holders};

/// What `env-dump` says of a process that was set up so.
fn dump(sandbox: &Sandbox, setup: Setup) -> BTreeMap<String, String> {
    let file = sandbox.path("dump");
    let command = dumping(sandbox, &file);
    let run: Finished = Run::new(command).setup(setup).done();
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {run}"));
    fs::remove_file(file).expect("remove");
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn dumping(sandbox: &Sandbox, file: &std::path::Path) -> Command {
    sandbox.fixture(["env-dump".as_ref(), file.as_os_str(), "--".as_ref(), "exit".as_ref()])
}

fn fds(dump: &BTreeMap<String, String>) -> Vec<&str> {
    dump.keys().filter_map(|key| key.strip_prefix("fd.")).collect()
}

fn mask(dump: &BTreeMap<String, String>, key: &str) -> u64 {
    u64::from_str_radix(&dump[key], 16).expect("a mask")
}

#[test]
fn nothing_is_changed_by_nothing() {
    let sandbox = Sandbox::new();
    let dump = dump(&sandbox, Setup::new().close_others());
    assert_eq!(fds(&dump), ["0", "1", "2"]);
    assert_eq!((mask(&dump, "blocked"), mask(&dump, "ignored"), mask(&dump, "caught")), (0, 0, 0));
    assert_eq!(dump["cwd"], sandbox.dir().join("work").display().to_string());
    assert_eq!(dump["env.HOME"], sandbox.home().display().to_string());
    assert!(!dump.contains_key("env.CARGO_MANIFEST_DIR"), "the environment is private");
    assert!(dump.keys().all(|key| !key.contains("FIXTURE")));
    sandbox.finish();
}

#[test]
fn streams_are_closed() {
    let sandbox = Sandbox::new();
    let clean = || Setup::new().close_others();
    assert_eq!(fds(&dump(&sandbox, clean().close(0).close(1).close(2))), [""; 0]);
    assert_eq!(fds(&dump(&sandbox, clean().close(1))), ["0", "2"]);
    sandbox.finish();
}

#[test]
fn signals_are_ignored_and_blocked() {
    let sandbox = Sandbox::new();
    let dump = dump(&sandbox, Setup::new().ignore("CHLD,HUP").ignore("PIPE").block("TERM,INT"));
    let bits = |names: [&str; 3]| names.into_iter().map(testbed::signal_bit).fold(0, |all, bit| all | bit);
    assert_eq!(mask(&dump, "ignored"), bits(["CHLD", "HUP", "PIPE"]));
    assert_eq!(mask(&dump, "blocked"), bits(["TERM", "INT", "TERM"]));
    sandbox.finish();
}

#[test]
fn limits_umask_and_nice_are_set() {
    let sandbox = Sandbox::new();
    let dump = dump(&sandbox, Setup::new().limit_files(16).umask(0o027).nice(3));
    assert_eq!((dump["nofile"].as_str(), dump["umask"].as_str(), dump["nice"].as_str()), ("16", "027", "3"));
    sandbox.finish();
}

#[test]
fn a_session_is_led() {
    let sandbox = Sandbox::new();
    let dump = dump(&sandbox, Setup::new().session());
    assert_eq!((&dump["sid"], &dump["pgrp"]), (&dump["pid"], &dump["pid"]));
    sandbox.finish();
}

#[test]
fn the_directory_is_gone() {
    let sandbox = Sandbox::new();
    let dump = dump(&sandbox, Setup::new().deleted_directory());
    assert!(dump["cwd"].ends_with(" (deleted)"), "{}", dump["cwd"]);
    sandbox.finish();
}

#[test]
fn a_pipe_of_the_test_is_inherited_and_its_holder_found() {
    let sandbox = Sandbox::new();
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("pipe");
    let setup = Setup::new().inherit(&writer, 7);
    let words = ["log-line", "up", "--", "stay"];
    let running = Run::new(sandbox.fixture(words)).setup(setup).start();
    running.wait_stdout("up", Duration::from_secs(10));
    drop(writer);
    let link = Process::of(running.pid()).expect("alive").fds[&7].clone();
    let found: Vec<_> = holders(&link).into_iter().map(|(pid, fd, _)| (pid, fd)).collect();
    assert!(found.contains(&(running.pid(), 7)), "{found:?}");
    running.signal("TERM");
    running.done();
    assert_eq!(rustix::io::read(&reader, &mut [0; 1]), Ok(0), "nobody holds it now");
    sandbox.finish();
}

#[test]
fn an_inherited_lock_is_held_by_who_inherits_it() {
    use rustix::fs::{FlockOperation, flock};
    let sandbox = Sandbox::new();
    let path = sandbox.path("lock");
    let words = ["child", "--setsid", "--null", "--leave", "0", "--", "stay"];
    let run = Run::new(sandbox.fixture(words)).setup(Setup::new().inherit_lock(&path, 9)).done();
    assert_eq!(run.code, Some(0), "{run}");
    let file = fs::File::open(&path).expect("open");
    flock(&file, FlockOperation::NonBlockingLockExclusive).expect_err("the grandchild holds it");
    sandbox.kill_all();
    flock(&file, FlockOperation::NonBlockingLockExclusive).expect("it is free");
    sandbox.finish();
}
