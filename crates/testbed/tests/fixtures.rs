//! Each fixture must do what its name says, or the tests that stand on it prove nothing.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::time::Duration;
use testbed::{
    Process, Run, Running, Sandbox, alive, connect_at_once, http_get, ping, ping_abstract, ping_unix, send_signal,
    wait_for_file, wait_for_path, wait_for_text,
};

const LIMIT: Duration = Duration::from_secs(10);

fn start<'a>(sandbox: &Sandbox, words: impl IntoIterator<Item = &'a str>) -> Running {
    Run::new(sandbox.fixture(words)).start()
}

/// Starts a fixture that listens on a port of the kernel's choice.
fn listening<'a>(sandbox: &Sandbox, words: impl IntoIterator<Item = &'a str>) -> (Running, u16) {
    let file = sandbox.path("port");
    let mut words: Vec<&OsStr> = words.into_iter().map(OsStr::new).collect();
    words.extend(["--port-file".as_ref(), file.as_os_str()]);
    let running = Run::new(sandbox.fixture(words)).start();
    let port = wait_for_file(&file, LIMIT).trim().parse().expect("a port");
    (running, port)
}

#[test]
fn listen_answers_on_every_kind_of_address() {
    let sandbox = Sandbox::new();
    let (_v4, port) = listening(&sandbox, ["listen", "--announce"]);
    assert_eq!(ping(("127.0.0.1", port)).expect("pong"), "pong\n");
    fs::remove_file(sandbox.path("port")).expect("remove");
    let (_v6, port) = listening(&sandbox, ["listen", "--host", "::1", "--text", "six"]);
    assert_eq!(ping(("::1", port)).expect("six"), "six");
    let path = sandbox.path("socket").display().to_string();
    let _unix = start(&sandbox, ["listen", "--unix", &path]);
    wait_for_path(&path, LIMIT);
    let name = sandbox.dir().display().to_string();
    let named = start(&sandbox, ["listen", "--abstract", &name, "--announce"]);
    named.wait_stdout(&format!("listening on @{name}\n"), LIMIT);
    assert_eq!(ping_abstract(&name).expect("pong"), "pong\n");
    // The path exists after bind, a moment before listen.
    let unix = start(&sandbox, ["listen", "--unix", &format!("{path}2"), "--announce"]);
    unix.wait_stdout("listening", LIMIT);
    assert_eq!(ping_unix(format!("{path}2")).expect("pong"), "pong\n");
}

#[test]
fn bound_only_refuses_and_datagrams_do_not_listen() {
    let sandbox = Sandbox::new();
    let (_bound, port) = listening(&sandbox, ["listen", "--not-listening"]);
    connect_at_once(("127.0.0.1", port)).expect_err("it does not listen");
    fs::remove_file(sandbox.path("port")).expect("remove");
    let (_udp, port) = listening(&sandbox, ["listen", "--datagram"]);
    connect_at_once(("127.0.0.1", port)).expect_err("it does not listen");
}

#[test]
fn http_gives_its_codes_one_after_the_other() {
    let sandbox = Sandbox::new();
    let words = ["listen", "--http", "--code", "503", "--code", "204", "--text", "body"];
    let (_running, port) = listening(&sandbox, words);
    let codes: Vec<u16> = (0..3).map(|_| http_get(([127, 0, 0, 1], port).into(), "/").expect("a page").0).collect();
    assert_eq!(codes, [503, 204, 204]);
    assert_eq!(http_get(([127, 0, 0, 1], port).into(), "/x").expect("a page").1, "body");
}

#[test]
fn echo_sends_lines_back() {
    let sandbox = Sandbox::new();
    let (_running, port) = listening(&sandbox, ["echo"]);
    let mut stream = connect_at_once(("127.0.0.1", port)).expect("connect");
    stream.write_all(b"line\n").expect("write");
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).expect("read");
    assert_eq!(&answer, b"line\n");
}

#[test]
fn listening_can_go_on_behind_another_behaviour() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("port").display().to_string();
    let words = ["listen", "--port-file", &file, "--background", "--", "log-line", "up"];
    let running = start(&sandbox, words);
    running.wait_stdout("up", LIMIT);
    let port: u16 = wait_for_file(&file, LIMIT).trim().parse().expect("a port");
    assert_eq!(ping(("127.0.0.1", port)).expect("pong"), "pong\n");
}

#[test]
fn a_socket_is_inherited() {
    let sandbox = Sandbox::new();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("bind");
    let addr = listener.local_addr().expect("an address");
    let mut command = sandbox.fixture(["listen", "--inherited", "0"]);
    let mut child = command.stdin(std::os::fd::OwnedFd::from(listener)).spawn().expect("start");
    assert_eq!(ping(addr).expect("pong"), "pong\n");
    child.kill().expect("kill");
    child.wait().expect("wait");
}

#[test]
fn daemonize_leaves_an_orphan_in_a_session_that_it_does_not_lead() {
    let sandbox = Sandbox::new();
    let (pid, port) = (sandbox.path("pid"), sandbox.path("port"));
    let words = ["daemonize", "--code", "0", "--when", "ready", "--pid-file", pid.to_str().expect("UTF-8")];
    let next = ["--", "listen", "--after-ms", "50", "--port-file", port.to_str().expect("UTF-8")];
    let run = Run::new(sandbox.fixture(words.into_iter().chain(next))).done();
    assert_eq!(run.code, Some(0), "{run}");
    let port: u16 = fs::read_to_string(port).expect("it is ready").trim().parse().expect("a port");
    assert_eq!(ping(("127.0.0.1", port)).expect("it listens"), "pong\n");
    let pid: i32 = wait_for_file(pid, LIMIT).trim().parse().expect("a pid");
    let daemon = Process::of(pid).expect("alive");
    assert!(!daemon.leads_session() && daemon.session != Process::of(sandbox_pid()).expect("us").session);
    assert_eq!((daemon.cwd.to_str(), daemon.fds[&1].as_str()), (Some("/"), "/dev/null"));
    let run = run.expect_free();
    assert!(daemon.ppid != run.pid);
    sandbox.kill_all();
    sandbox.finish();
}

fn sandbox_pid() -> i32 {
    std::process::id().try_into().expect("a pid")
}

#[test]
fn daemonize_reports_a_daemon_that_dies_before_it_is_ready() {
    let sandbox = Sandbox::new();
    let words = ["daemonize", "--when", "ready", "--", "exit", "7"];
    let run = Run::new(sandbox.fixture(words)).done();
    assert_eq!(run.code, Some(1), "{run}");
    let at_once = Run::new(sandbox.fixture(["daemonize", "--code", "5", "--", "exit", "7"])).done();
    assert_eq!(at_once.code, Some(5), "{at_once}");
    // The daemon may still be on its way to its end.
    sandbox.kill_all();
    sandbox.finish();
}

#[test]
fn a_child_can_have_its_own_group_or_session() {
    for (flag, group, session) in [("--setpgid", true, false), ("--setsid", true, true)] {
        let sandbox = Sandbox::new();
        let file = sandbox.path("dump").display().to_string();
        let running = start(&sandbox, ["child", flag, "--", "env-dump", &file]);
        let dump = wait_for_file(&file, LIMIT);
        let value = |key: &str| {
            let line = dump.lines().find_map(|line| line.strip_prefix(&format!("{key}=")));
            line.expect("a line").to_owned()
        };
        assert_eq!(value("ppid"), running.pid().to_string());
        assert_eq!(value("pgrp") == value("pid"), group);
        assert_eq!(value("sid") == value("pid"), session);
        // The parent ends with the child's code, and dies alone of SIGTERM.
        assert!(running.signal("TERM"));
        let child: i32 = value("pid").parse().expect("a pid");
        let done = running.done();
        assert_eq!((done.signal, alive(child)), (Some(15), true));
        sandbox.kill_all();
    }
}

#[test]
fn stubborn_servers_are_stubborn() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox, ["ignore", "TERM", "--", "log-line", "up"]);
    running.wait_stdout("up", LIMIT);
    running.signal("TERM");
    assert!(!running.wait_exit(Duration::from_millis(50)));
    running.signal("KILL");
    assert_eq!(running.done().signal, Some(9));
    let words = ["on-term", "--after-ms", "60", "--code", "9", "--say", "bye", "--", "log-line", "up"];
    let running = start(&sandbox, words);
    running.wait_stdout("up", LIMIT);
    running.signal("TERM");
    let done = running.done();
    assert_eq!((done.code, done.out().as_str()), (Some(9), "up\nbye\n"));
}

#[test]
fn a_stopped_server_is_stopped_and_goes_on_when_continued() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("pid").display().to_string();
    let words = ["pid-file", &file, "--", "stop-self", "--", "exit", "3"];
    let running = start(&sandbox, words);
    wait_for_file(&file, LIMIT);
    // Continuing it before it has stopped would be lost.
    while Process::of(running.pid()).expect("alive").state != 'T' {
        std::thread::yield_now();
    }
    assert!(!running.wait_exit(Duration::from_millis(20)));
    running.signal("CONT");
    assert_eq!(running.done().code, Some(3));
}

#[test]
fn a_life_ends_even_when_everything_is_ignored() {
    let sandbox = Sandbox::new();
    let words = ["ignore", "TERM,ALRM", "--life", "0.2", "--", "stop-self"];
    let run = Run::new(sandbox.fixture(words)).done();
    assert_eq!(run.signal, Some(9), "{run}");
    // What it starts lives no longer.
    let words = ["child", "--life", "0.3", "--setsid", "--null", "--leave", "0", "--", "stay"];
    let run = Run::new(sandbox.fixture(words)).done();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(sandbox.wait_empty(LIMIT));
    sandbox.finish();
}

#[test]
fn descriptors_are_told_on_and_closed() {
    let sandbox = Sandbox::new();
    for (flags, seen) in [
        (&[][..], &b"\n"[..]),
        (&["--text", "ready"], b"ready\n"),
        (&["--no-newline", "--text", "ready"], b"ready"),
        (&["--no-line"], b""),
        (&["--split-ms", "20", "--text", "ready"], b"ready\n"),
    ] {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("pipe");
        let words = ["fd-line", "--fd", "5"].into_iter().chain(flags.iter().copied());
        let setup = testbed::Setup::new().inherit(&writer, 5);
        let words: Vec<&str> = words.chain(["--", "log-line", "closed"]).collect();
        let running = Run::new(sandbox.fixture(words)).setup(setup).start();
        running.wait_stdout("closed", LIMIT);
        drop(writer);
        let mut all = Vec::new();
        fs::File::from(reader).read_to_end(&mut all).expect("the end, though it still runs");
        assert_eq!(all, seen);
        assert!(!Process::of(running.pid()).expect("alive").fds.contains_key(&5));
    }
}

#[test]
fn a_stream_can_be_closed_in_the_foreground() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("pid").display().to_string();
    let words = ["close-all", "--only", "1", "--only", "2", "--", "pid-file", &file];
    let running = start(&sandbox, words);
    let pid = wait_for_file(&file, LIMIT).trim().parse().expect("a pid");
    let process = Process::of(pid).expect("alive");
    assert!(process.fds.contains_key(&0) && !process.fds.contains_key(&1) && !process.fds.contains_key(&2));
    assert!(send_signal(running.pid(), "TERM"));
    assert!(running.done().eof);
}

#[test]
fn a_name_is_changed() {
    let sandbox = Sandbox::new();
    let running = start(&sandbox, ["rename", "postgres: main", "--", "log-line", "up"]);
    running.wait_stdout("up", LIMIT);
    assert_eq!(Process::of(running.pid()).expect("alive").comm, "postgres: main");
}

#[test]
fn lines_are_split_and_paused() {
    let sandbox = Sandbox::new();
    let words = ["log-line", "--split-ms", "40", r"list\x65ning", "20ms", r"a\nb", "--", "exit", "0"];
    let run = Run::new(sandbox.fixture(words)).done().expect_code(0);
    let parts: Vec<_> = run.chunks.iter().map(|chunk| String::from_utf8_lossy(&chunk.bytes)).collect();
    assert_eq!(parts, ["liste", "ning\n", "a\n", "b\n"]);
}

#[test]
fn a_writer_goes_on_and_dies_of_a_closed_pipe() {
    let sandbox = Sandbox::new();
    let report = sandbox.path("report").display().to_string();
    let words = ["write-after", "--every-ms", "5", "--report", &report, "--", "stay"];
    let mut command = sandbox.fixture(words);
    let piped = command.stdout(std::process::Stdio::piped()).stdin(std::process::Stdio::null());
    let mut child = piped.spawn().expect("start");
    wait_for_text(&report, "lines=3", LIMIT);
    drop(child.stdout.take());
    let status = child.wait().expect("wait");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(13));
    assert!(fs::read_to_string(&report).expect("read").contains("error=\n"));
}

#[test]
fn a_crowd_is_bounded() {
    let sandbox = Sandbox::new();
    let words = ["crowd", "--count", "12", "--seconds", "0.3", "--own-session", "--", "exit", "0"];
    let run = Run::new(sandbox.fixture(words)).done().expect_code(0);
    assert!(!run.eof || run.eof_at > Some(Duration::from_millis(200)));
    let left = sandbox.processes();
    assert!(left.len() <= 12);
    assert!(sandbox.wait_empty(LIMIT));
    sandbox.finish();
}

#[test]
fn a_wrong_command_line_is_not_silent() {
    let sandbox = Sandbox::new();
    for words in [&["bogus"][..], &["exit", "--bogus"], &["exit", "1", "2"], &["fd-line"], &["rename"]] {
        let run = Run::new(sandbox.fixture(words.iter().copied())).done();
        assert!(run.code == Some(64) && run.err().starts_with("fixture: "), "{words:?}: {run}");
    }
}
