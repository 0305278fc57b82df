//! What a server has of its caller once it is ready: nothing.

use crate::common::*;
use std::collections::BTreeMap;

#[test]
fn its_own_session_of_which_it_is_not_the_leader() {
    let sandbox = Sandbox::new();
    let server = look_at(pid(&daemonize(&sandbox, &["enter", "say-pid", "notify", "stay"]).expect_code(0)));
    let own = look_at(i32::try_from(std::process::id()).expect("a pid"));
    assert_ne!(server.session, own.session);
    assert_ne!(server.pgrp, own.pgrp);
    assert!(!server.leads_session());
    assert_eq!(server.tty_nr, 0);
    assert!(!testbed::alive(server.session), "the leader is gone, and has left no zombie");
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn no_descriptor_but_null() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("lock");
    std::fs::write(&file, "").expect("write");
    let (pipe, _writer) = rustix::pipe::pipe().expect("a pipe");
    let setup = Setup::new().inherit_file(&sandbox.path("inherited"), 7).inherit_lock(&file, 9).inherit(&pipe, 200);
    let command = server(&sandbox, ["daemonize", "enter", "say-pid", "notify", "stay"]);
    let run = Run::new(command).stdin_pipe().setup(setup).done().expect_code(0).expect_free();
    let server = look_at_with(pid(&run), 3);
    let null = "/dev/null".to_owned();
    assert_eq!(server.fds, BTreeMap::from([(0, null.clone()), (1, null.clone()), (2, null)]));
    let lock = std::fs::File::open(&file).expect("open");
    assert!(is_free(&lock), "the caller's lock is free");
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn before_ready_nothing_of_the_caller_but_private_pipes() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("lock");
    std::fs::write(&file, "").expect("write");
    let setup = Setup::new().inherit_lock(&file, 9);
    let command = server(&sandbox, ["daemonize", "enter", "fds=fds", "out=up\\n", "stay"]);
    let run = Run::new(command).setup(setup).start();
    run.wait_stdout("up", LONG);
    let fds = std::fs::read_to_string(sandbox.path("fds")).expect("read");
    assert_eq!(fds, "fd=0\nfd=1\nfd=2\nfd=3\n", "streams and channel");
    run.signal("TERM");
    let _ = run.done().expect_code(143);
    sandbox.finish();
}

#[test]
fn what_it_opened_itself_stays() {
    let sandbox = Sandbox::new();
    let steps = ["enter", "listen=port", "open=data", "say-pid", "notify", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    let server = look_at_with(pid(&run), 5);
    assert!(server.fds.values().any(|target| target.ends_with("/data")), "{:?}", server.fds);
    let port: u16 =
        value(&std::fs::read_to_string(sandbox.path("port")).expect("read"), "port").parse().expect("a port");
    assert_eq!(testbed::ping(("127.0.0.1", port)).expect("it answers at once"), "pong\n");
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn signals_as_at_a_login() {
    let sandbox = Sandbox::new();
    let setup = Setup::new().ignore("HUP,INT,QUIT,CHLD,USR1,TERM,TSTP").block("USR2,WINCH,TERM");
    let command = server(&sandbox, ["daemonize", "enter", "say-pid", "notify", "stay"]);
    let run = Run::new(command).setup(setup).done().expect_code(0);
    let server = look_at(pid(&run));
    assert_eq!(server.blocked, 0, "{:x}", server.blocked);
    let sigpipe = testbed::signal_bit("PIPE");
    assert_eq!(server.ignored & !sigpipe, 0, "Rust ignores SIGPIPE, nobody anything else: {:x}", server.ignored);
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn the_directory_is_the_root_and_paths_were_the_caller_s() {
    let sandbox = Sandbox::new();
    let steps = ["enter", "touch=relative", "say-pid", "notify", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    assert!(sandbox.path("relative").exists(), "before notify the directory is the caller's");
    assert_eq!(look_at(pid(&run)).cwd.to_str(), Some("/"));
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn another_directory_if_it_is_wanted() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("there")).expect("make");
    let run = daemonize(&sandbox, &["dir=there", "enter", "say-pid", "notify", "stay"]).expect_code(0);
    assert_eq!(look_at(pid(&run)).cwd, sandbox.path("there"));
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn the_umask_is_the_caller_s() {
    let sandbox = Sandbox::new();
    let command = server(&sandbox, ["daemonize", "enter", "say-pid", "notify", "stay"]);
    let run = Run::new(command).setup(Setup::new().umask(0o037)).done().expect_code(0);
    assert_eq!(look_at(pid(&run)).umask, 0o037);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn or_the_one_that_is_wanted() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let steps = ["umask=027", "enter", "touch=file", "say-pid", "notify", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    assert_eq!(look_at(pid(&run)).umask, 0o027);
    let mode = sandbox.path("file").metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "from the start on");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn the_limits_and_the_priority_are_the_caller_s() {
    let sandbox = Sandbox::new();
    let command = server(&sandbox, ["daemonize", "enter", "say-pid", "notify", "stay"]);
    let run = Run::new(command).setup(Setup::new().limit_files(77).nice(3)).done().expect_code(0);
    let server = look_at(pid(&run));
    let own = look_at(i32::try_from(std::process::id()).expect("a pid"));
    assert_eq!((server.nice, server.limits["Max open files"].0.as_str()), ((own.nice + 3).min(19), "77"));
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn no_parent_but_init_or_a_subreaper_and_no_thread_of_ours() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "say-pid", "notify", "stay"]).expect_code(0);
    let server = look_at(pid(&run));
    assert_ne!(server.ppid, run.pid);
    assert_eq!(server.threads, 1);
    stop(server.pid);
    sandbox.finish();
}
