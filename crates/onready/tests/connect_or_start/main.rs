//! Clients that start their server when it is not there, against real processes.

mod clients;
mod failures;
mod fingerprints;
mod launchers;
mod sockets;

use onready::{Start, StartError, connect_or_start};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testbed::Sandbox;

/// Far more than anything here takes; a test that needs it fails.
const LONG: Duration = Duration::from_secs(30);

/// A program that cargo has built from `examples` for this run.
#[track_caller]
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the running test");
    // target/PROFILE/deps/connect_or_start-HASH
    let path = test.ancestors().nth(2).expect("target/PROFILE").join("examples").join(name);
    assert!(path.exists(), "{} is not there: cargo build -p onready --examples", path.display());
    path
}

/// A program in the environment of the sandbox, which marks what descends from it.
fn program(sandbox: &Sandbox, program: impl Into<std::ffi::OsString>) -> Start {
    let start = Start::program(program).current_dir(sandbox.path("")).lock(sandbox.path("lock")).timeout(LONG);
    sandbox.environment().into_iter().fold(start, |start, (name, value)| start.env(name, value))
}

/// The server of most tests: it answers "pong" on the unix socket `socket`.
fn pong(sandbox: &Sandbox, words: &[&str]) -> Start {
    let socket = sandbox.path("socket");
    program(sandbox, example("pong")).args(["--daemonize", "--listen"]).arg(socket).args(words)
}

/// What a client of it gets.
fn ask(sandbox: &Sandbox, start: Start) -> Result<String, StartError> {
    let socket = sandbox.path("socket");
    let mut stream = connect_or_start(|| UnixStream::connect(&socket), start)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read the answer");
    Ok(answer)
}

/// The one server that runs, and nothing else.
#[track_caller]
fn only_server(sandbox: &Sandbox) -> i32 {
    let all = sandbox.processes();
    assert_eq!(all.len(), 1, "one server and nothing else: {all:?}");
    all[0].0
}

/// Ends the one server, and removes what it has left: its socket.
#[track_caller]
fn end_server(sandbox: &Sandbox) {
    let pid = only_server(sandbox);
    assert!(testbed::kill(pid) && testbed::wait_gone(pid, LONG), "{pid} survives");
    std::fs::remove_file(sandbox.path("socket")).expect("the server's socket");
}

/// Nobody holds or waits for a lock, and none is left.
#[track_caller]
fn assert_no_lock(sandbox: &Sandbox) {
    assert!(!sandbox.path("lock").exists(), "the lock is left");
}

/// Again and again, for as long as `ONREADY_RACE_SECONDS` says (2).
fn race(mut round: impl FnMut(u32)) {
    let seconds = std::env::var("ONREADY_RACE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let since = Instant::now();
    for number in 0.. {
        round(number);
        if since.elapsed() >= Duration::from_secs(seconds) {
            println!("{} rounds", number + 1);
            return;
        }
    }
}
