//! The examples do what the documentation says of them.

use crate::common::*;
use std::net::SocketAddr;

/// Starts it in the background and returns what it printed.
#[track_caller]
fn start(sandbox: &Sandbox, name: &str, words: &[&str]) -> String {
    let run = sandbox.run(example(name), words).expect_code(0).expect_free();
    assert_eq!(run.err(), "");
    run.out()
}

/// The address behind a word of its output.
#[track_caller]
fn address(out: &str, behind: &str) -> SocketAddr {
    let rest = out.split(behind).nth(1).unwrap_or_else(|| panic!("no {behind:?} in {out:?}"));
    rest.trim().trim_end_matches('/').parse().unwrap_or_else(|_| panic!("no address in {out:?}"))
}

#[test]
fn sync() {
    let sandbox = Sandbox::new();
    let out = start(&sandbox, "sync", &["--daemonize", "--listen", "127.0.0.1:0"]);
    assert_eq!(testbed::ping(address(&out, "listening on ")).expect("it answers at once"), "hello\n");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn axum() {
    let sandbox = Sandbox::new();
    let out = start(&sandbox, "axum", &["--daemonize", "--listen", "127.0.0.1:0"]);
    let (code, body) = testbed::http_get(address(&out, "http://"), "/").expect("it answers at once");
    assert_eq!((code, body.as_str()), (200, "hello\n"));
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn builder() {
    let sandbox = Sandbox::new();
    let out = start(&sandbox, "builder", &["--daemonize", "127.0.0.1:0"]);
    assert_eq!(testbed::ping(address(&out, "listening on ")).expect("it answers at once"), "hello\n");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn subcommand() {
    let sandbox = Sandbox::new();
    let out = start(&sandbox, "subcommand", &["serve", "--daemonize", "127.0.0.1:0"]);
    let server = address(&out, "listening on ").to_string();
    let run = sandbox.run(example("subcommand"), ["ask", "hello", &server]).expect_code(0);
    assert_eq!(run.out(), "hello\n");
    stop(only_process(&sandbox));
    let run = sandbox.run(example("subcommand"), ["ask", "--daemonize"]);
    assert_eq!(run.code, Some(2), "the flag is of the one subcommand: {run}");
    sandbox.finish();
}

#[test]
fn no_clap() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("served.txt"), "served\n").expect("write");
    let out = start(&sandbox, "no_clap", &["--background", "served.txt"]);
    let served = address(&out, " on ");
    assert_eq!(testbed::ping(served).expect("it answers at once"), "served\n", "a relative path is the caller's");
    let server = only_process(&sandbox);
    assert_eq!(look_at(server).cwd.to_str(), Some("/"));
    stop(server);
    sandbox.finish();
}

#[test]
fn pong() {
    let sandbox = Sandbox::new();
    let words = ["--daemonize", "--listen", "127.0.0.1:0", "--init-ms", "300", "--log", "log", "--pid-file", "pid"];
    let out = start(&sandbox, "pong", &words);
    let address = address(&out, "listening on ");
    assert_eq!(testbed::http_get(address, "/").expect("it answers at once"), (200, "pong\n".into()));
    assert_eq!(testbed::ping(address).expect("it answers who says nothing"), "pong\n");
    let run = sandbox.run(example("pong"), words).expect_code(69);
    let server = only_process(&sandbox);
    assert_eq!(run.err(), format!("pong: already running (pid {server}, pid)\n"));
    stop(server);
    sandbox.finish();
}

#[test]
fn pong_fails_as_it_is_told() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(example("pong"), ["--daemonize", "--fail", "3"]).expect_code(3);
    let said = "pong: cannot go on, as asked\npong: the server exited with code 3 before it was ready\n";
    assert_eq!(run.err(), said);
    let run =
        sandbox.run(example("pong"), ["--daemonize", "--init-ms", "20000", "--timeout-ms", "200"]).expect_code(124);
    assert!(run.err().starts_with("pong: the server was not ready within 200 ms and was stopped"), "{run}");
    sandbox.finish();
}

#[test]
fn they_are_short() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (name, most) in
        [("sync", 30), ("axum", 30), ("builder", 30), ("no_clap", 30), ("subcommand", 50), ("pong", 120)]
    {
        let text = std::fs::read_to_string(folder.join(name).with_extension("rs")).expect("read an example");
        let lines = text.lines().count();
        assert!(lines <= most, "{name} has {lines} lines");
    }
}
