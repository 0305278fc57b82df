//! How the tests start servers with the program and look at what came of it.

pub use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
pub use testbed::{Finished, Process, Pty, Run, Sandbox, Setup, Stream};

/// Far more than anything here takes; a test that needs it fails.
pub const LONG: Duration = Duration::from_secs(30);
/// What is still "at once" on a machine that does much else.
pub const AT_ONCE: Duration = Duration::from_secs(15);

/// The program with these words.
pub fn onready(sandbox: &Sandbox, words: &[&str]) -> Command {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_onready"));
    command.args(words);
    command
}

/// A start of the fixture: the speaking one if `notify` or `speaker` is among its words.
pub fn start_command(sandbox: &Sandbox, options: &[&str], server: &[&str]) -> Command {
    let speaks = server.iter().any(|word| matches!(*word, "notify" | "speaker"));
    let program = if speaks { testbed::speaker_path() } else { testbed::fixture_path() };
    let mut command = onready(sandbox, options);
    command.arg("--").arg(program).args(server);
    command
}

/// Runs it until the launcher has ended.
#[track_caller]
pub fn start(sandbox: &Sandbox, options: &[&str], server: &[&str]) -> Finished {
    check(Run::new(start_command(sandbox, options, server)).done())
}

/// The caller's streams are free, and the notify socket is gone.
#[track_caller]
pub fn check(run: Finished) -> Finished {
    let run = run.expect_free();
    for folder in ["/run/onready-notify", "/tmp/onready-notify-0"] {
        let socket = Path::new(folder).join(run.pid.to_string());
        assert!(!socket.exists(), "{} is left\n{run}", socket.display());
    }
    run
}

/// The one object of `--json`, which is all that is on stdout.
#[track_caller]
pub fn json(run: &Finished) -> Value {
    let value: Value = serde_json::from_str(&run.out()).unwrap_or_else(|error| panic!("{error}\n{run}"));
    const KEYS: [&str; 12] = [
        "elapsed_ms",
        "error",
        "exit_code",
        "listening",
        "name",
        "outcome",
        "pid",
        "ready_by",
        "signal",
        "status",
        "stderr",
        "stdout",
    ];
    let keys: Vec<&String> = value.as_object().expect("an object").keys().collect();
    assert_eq!(keys, KEYS, "{run}");
    value
}

/// A start with `--json` that is to succeed: the outcome, with the server alive.
#[track_caller]
pub fn ready(sandbox: &Sandbox, options: &[&str], server: &[&str]) -> Value {
    let options = [&["--json"], options].concat();
    let run = start(sandbox, &options, server).expect_code(0);
    let outcome = json(&run);
    assert_eq!(outcome["outcome"], "ready", "{run}");
    assert_eq!(outcome["error"], Value::Null, "{run}");
    assert!(testbed::alive(pid(&outcome)), "{run}");
    outcome
}

/// The server's pid.
#[track_caller]
pub fn pid(outcome: &Value) -> i32 {
    outcome["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_else(|| panic!("no pid in {outcome}"))
}

/// The time that a start took.
#[track_caller]
pub fn elapsed(outcome: &Value) -> Duration {
    Duration::from_millis(outcome["elapsed_ms"].as_u64().expect("elapsed_ms"))
}

/// Ends the servers of a test; what is on record about them, and their logs, stay.
#[track_caller]
pub fn end(sandbox: Sandbox) {
    sandbox.kill_all();
    sandbox.allow("run/onready/**").allow("state/onready/**");
    sandbox.finish();
}

/// The text of a path in the sandbox's working directory.
pub fn path(sandbox: &Sandbox, name: &str) -> String {
    sandbox.path(name).display().to_string()
}

/// The port of an address of `listening`.
#[track_caller]
pub fn port(outcome: &Value) -> u16 {
    let address = outcome["listening"][0].as_str().unwrap_or_else(|| panic!("no address in {outcome}"));
    address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port")
}

/// Whether this test may do what only root may; says so if not.
pub fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: {what} needs root");
    }
    root
}
