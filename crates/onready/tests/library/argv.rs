//! The server's words are the launcher's, untouched.

use crate::common::*;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

#[test]
fn whatever_the_bytes() {
    let sandbox = Sandbox::new();
    let words: Vec<OsString> = [
        &b"daemonize"[..],
        b"args=words",
        b"enter",
        b"notify",
        b"ignore=USR1",
        b"stay",
        // Never looked at: the script stays where it is.
        b"\xff\xfe not UTF-8",
        b"",
        b"--daemonize=false",
        b"  two  blanks\n",
    ]
    .iter()
    .map(|word| OsStr::from_bytes(word).to_owned())
    .collect();
    let run = Run::new(server(&sandbox, &words)).done().expect_code(0);
    assert_eq!(run.err(), "");
    let server = only_process(&sandbox);
    let seen = std::fs::read(format!("/proc/{server}/cmdline")).expect("read its words");
    let mut expected = example("script").into_os_string().as_bytes().to_vec();
    for word in &words {
        expected.push(0);
        expected.extend(word.as_bytes());
    }
    expected.push(0);
    assert_eq!(seen, expected);
    stop(server);
    sandbox.finish();
}

#[test]
fn daemonize_with_a_value_as_a_value_and_behind_the_dashes() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("s");
    let socket = socket.to_str().expect("UTF-8");
    // Of these words only the flag itself is one.
    for flags in [&["--daemonize"][..], &["--daemonize=true"], &["--listen", socket, "--daemonize"]] {
        let words: Vec<&str> =
            if flags.contains(&"--listen") { flags.to_vec() } else { [&["--listen", socket], flags].concat() };
        let run = sandbox.run(example("pong"), &words).expect_code(0).expect_free();
        assert_eq!(run.out(), format!("pong: listening on {socket}\n"), "{words:?}");
        let server = look_at(only_process(&sandbox));
        assert_eq!(server.cmdline[1..], words[..]);
        stop(server.pid);
        std::fs::remove_file(socket).expect("remove the socket");
    }
    sandbox.finish();
}

#[test]
fn daemonize_false_stays_in_the_foreground() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(example("pong"));
    command.args(["--daemonize=false", "--listen", "127.0.0.1:0"]);
    let run = Run::new(command).start();
    run.wait_stdout("listening", LONG);
    assert_eq!(only_process(&sandbox), run.pid(), "one process, the one that was started");
    run.signal("TERM");
    assert_eq!(run.done().signal, Some(15));
    sandbox.finish();
}

#[test]
fn what_looks_like_the_flag_and_is_a_value() {
    // `--daemonize` as the value of another option: the server is to be in the foreground.
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(example("pong"));
    command.args(["--listen=--daemonize", "--fail", "3"]);
    let run = Run::new(command).done().expect_code(3);
    assert_eq!(run.err(), "pong: cannot go on, as asked\n", "no launcher has spoken");
    sandbox.finish();
}

#[test]
fn the_flag_behind_the_dashes_is_no_flag() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(example("builder"), ["--", "--daemonize"]);
    assert_ne!(run.code, Some(0), "it is an address, and no good one: {run}");
    assert!(!run.err().contains("before it was ready"), "no launcher has spoken: {run}");
    sandbox.finish();
}
