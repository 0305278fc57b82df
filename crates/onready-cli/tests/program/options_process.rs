//! What the server is born with: the options, and what it gets without any.

use crate::common::*;
use std::time::Duration;

/// The process of a server that was started with these options.
#[track_caller]
fn born(sandbox: &Sandbox, options: &[&str]) -> Process {
    let outcome = ready(sandbox, options, &["listen"]);
    Process::of(pid(&outcome)).expect("the server")
}

#[test]
fn without_any() {
    let sandbox = Sandbox::new();
    let server = born(&sandbox, &[]);
    assert_ne!((server.session, server.pgrp), (0, 0));
    assert!(!server.leads_session(), "it must not acquire a terminal: {server:?}");
    assert_eq!((server.tty_nr, server.blocked, server.ignored), (0, 0, 0), "{server:?}");
    assert_eq!(server.cwd, sandbox.path(""), "{server:?}");
    assert_eq!(server.fds[&0], "/dev/null");
    assert!(server.fds[&1].ends_with("/stdout.log") && server.fds[&2].ends_with("/stderr.log"), "{server:?}");
    // Its listener, and nothing of ours.
    assert_eq!(server.fds.len(), 4, "{server:?}");
    assert!(!server.environ.contains_key("LISTEN_FDS"));
    end(sandbox);
}

#[test]
fn of_a_caller_with_odd_signals_and_descriptors() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("lock"), "").expect("a file");
    let odd = Setup::new().ignore("CHLD,PIPE,INT,TERM,USR1").block("TERM,CHLD,USR2");
    // One of those that the program closes, and one far above.
    let setup = odd.inherit_lock(&sandbox.path("lock"), 7).inherit_file(&sandbox.path("lock"), 500);
    let command = start_command(&sandbox, &["--json"], &["listen"]);
    let run = check(Run::new(command).setup(setup).done()).expect_code(0);
    let server = Process::of(pid(&json(&run))).expect("the server");
    assert_eq!((server.blocked, server.ignored), (0, 0), "{server:?}");
    assert_eq!(server.fds.len(), 4, "its streams, and its listener: {server:?}");
    end(sandbox);
}

#[test]
fn environment_and_directory() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("folder")).expect("a folder");
    let server = born(&sandbox, &["--env", "A=1", "--env", "B=x=y", "--env", "HOME=", "--chdir", "folder"]);
    assert_eq!((&*server.environ["A"], &*server.environ["B"], &*server.environ["HOME"]), ("1", "x=y", ""));
    assert_eq!(server.cwd, sandbox.path("folder"));
    end(sandbox);
}

#[test]
fn a_command_with_a_path_is_meant_from_its_directory() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("folder")).expect("a folder");
    let _ = sandbox.install(&testbed::fixture_path(), "folder/server");
    let run = Run::new(onready(&sandbox, &["--json", "--chdir", "folder", "--", "./server", "listen"])).done();
    assert_eq!(json(&check(run).expect_code(0))["name"], "server");
    end(sandbox);
}

#[test]
fn mask_priority_and_limits() {
    let sandbox = Sandbox::new();
    let server = born(&sandbox, &["--umask", "027", "--nice", "5", "--rlimit", "nofile=100:200", "--rlimit", "core=0"]);
    assert_eq!((server.umask, server.nice), (0o027, 5));
    assert_eq!(server.limits["Max open files"], ("100".into(), "200".into()));
    assert_eq!(server.limits["Max core file size"], ("0".into(), "0".into()));
    end(sandbox);
}

#[test]
fn what_the_kernel_refuses_is_told() {
    if is_root("to refuse what only root may") {
        let sandbox = Sandbox::new();
        sandbox.open_to_others();
        let program = sandbox.install(std::path::Path::new(env!("CARGO_BIN_EXE_onready")), "onready");
        let mut command = sandbox.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
        command.args(["--nice", "-10", "--", "/bin/sleep", "60"]);
        for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "TMPDIR"] {
            command.env(name, sandbox.path(""));
        }
        let run = Run::new(command).done().expect_code(125);
        assert!(run.err().contains("cannot set the priority -10"), "{run}");
        sandbox.finish();
    }
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--rlimit", "nofile=99999999999"], &["listen"]).expect_code(125);
    assert!(run.err().contains("cannot set the limit nofile=99999999999"), "{run}");
    sandbox.finish();
}

#[test]
fn another_user_and_group() {
    if !is_root("to become another user") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.open_to_others();
    let program = sandbox.install(&testbed::speaker_path(), "server").display().to_string();
    let words = [
        "--json",
        "--user",
        "nobody",
        "--group",
        "nogroup",
        "--until",
        "notify",
        "--",
        &program,
        "notify",
        "READY=1",
        "--barrier",
        "--",
        "stay",
    ];
    let run = check(Run::new(onready(&sandbox, &words)).done()).expect_code(0);
    let server = Process::of(pid(&json(&run))).expect("the server");
    assert_eq!((server.uids, server.gids), ([65534; 4], [65534; 4]), "{server:?}");
    sandbox.kill_all();
    let words = ["--json", "--user", "65534", "--", &program, "listen"];
    let run = check(Run::new(onready(&sandbox, &words)).done()).expect_code(0);
    assert_eq!(Process::of(pid(&json(&run))).expect("the server").uids, [65534; 4]);
    end(sandbox);
}

#[test]
fn a_socket_that_is_bound_before() {
    let sandbox = Sandbox::new();
    let (port, socket) = (testbed::free_port(), path(&sandbox, "socket"));
    let address = format!("web=127.0.0.1:{port}");
    let report = path(&sandbox, "report");
    let options = ["--listen", &address, "--listen", &socket, "--until", "file:report"];
    let server = ["listen", "--inherited", "3", "--background", "--", "env-dump", &report, "--", "stay"];
    ready(&sandbox, &options, &server);
    let report = testbed::wait_for_file(&report, LONG);
    let value = |key: &str| {
        let found = report.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {key} in {report}")).to_owned()
    };
    assert_eq!((value("env.LISTEN_FDS"), value("env.LISTEN_FDNAMES")), ("2".into(), "web:unknown".into()));
    assert_eq!(value("env.LISTEN_PID"), value("pid"));
    assert_eq!(testbed::ping(("127.0.0.1", port)).expect("an answer"), "pong\n");
    end(sandbox);
}

#[test]
fn that_a_socket_was_bound_before_is_no_sign() {
    let sandbox = Sandbox::new();
    start(&sandbox, &["--listen", "127.0.0.1:0", "--until", "listen", "-t", "400ms"], &["stay"]).expect_code(124);
    sandbox.finish();
}

#[test]
fn a_stale_unix_socket_is_taken_over_and_a_served_one_is_not() {
    let sandbox = Sandbox::new();
    let socket = path(&sandbox, "socket");
    let server = std::os::unix::net::UnixListener::bind(&socket).expect("bind");
    let run = start(&sandbox, &["--listen", &socket], &["stay"]).expect_code(125);
    assert!(run.err().contains(&format!("cannot listen on {socket}: Address already in use")), "{run}");
    drop(server);
    ready(&sandbox, &["--listen", &socket, "--until", "delay:1ms"], &["listen", "--inherited", "3"]);
    assert_eq!(testbed::ping_unix(&socket).expect("an answer"), "pong\n");
    end(sandbox);
}

#[test]
fn a_pid_file() {
    let sandbox = Sandbox::new();
    let file = path(&sandbox, "pid");
    let outcome = ready(&sandbox, &["--pid-file", &file], &["daemonize"]);
    assert_eq!(std::fs::read_to_string(&file).expect("the file").trim(), pid(&outcome).to_string());
    sandbox.kill_all();
    start(&sandbox, &["--pid-file", &file], &["exit", "3"]).expect_code(3);
    assert!(!std::path::Path::new(&file).exists(), "of a start that failed nothing is left");
    end(sandbox);
}

#[test]
fn a_launcher_that_waits_holds_nothing_of_its_caller() {
    let sandbox = Sandbox::new();
    let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    let command = start_command(&sandbox, &["--until", "log:never", "-t", "60s"], &["log-line", "so far"]);
    // The lowest are closed at once, what is above them when the server is on its way.
    let setup = Setup::new().inherit(&theirs, 9).inherit(&theirs, 500);
    let running = Run::new(command).setup(setup).start();
    running.wait_stdout("so far\n", Duration::from_secs(30));
    drop(theirs);
    // Its end is there though both still run.
    assert_eq!(std::io::read_to_string(std::fs::File::from(ours)).expect("the end"), "");
    assert!(!running.wait_exit(Duration::ZERO));
    running.signal("TERM");
    check(running.done()).expect_code(143);
    end(sandbox);
}

#[test]
fn a_command_of_the_caller_gets_what_the_caller_has_open() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("lock"), "").expect("a file");
    for options in [["--then", "test -e /proc/self/fd/7"], ["--until", "exec:test -e /proc/self/fd/7"]] {
        let command = start_command(&sandbox, &options, &["listen"]);
        let setup = Setup::new().inherit_lock(&sandbox.path("lock"), 7);
        check(Run::new(command).setup(setup).done()).expect_code(0);
    }
    end(sandbox);
}
