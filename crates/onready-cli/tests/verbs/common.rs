//! How these tests start servers and ask for them.

pub use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
pub use std::time::{Duration, Instant};
pub use testbed::{Finished, Process, Run, Running, Sandbox, Setup};

/// Far more than anything here takes; a test that needs it fails.
pub const LONG: Duration = Duration::from_secs(30);
/// The server of most tests: a port of its own, and nothing else.
pub const LISTEN: [&str; 1] = ["listen"];

/// No process at all.
pub const NONE: [i32; 0] = [];

/// The program.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_onready"))
}

/// The program with these words.
pub fn command(sandbox: &Sandbox, words: &[&str]) -> Command {
    let mut command = sandbox.command(program());
    command.args(words);
    command
}

/// Runs it to its end.
#[track_caller]
pub fn onready(sandbox: &Sandbox, words: &[&str]) -> Finished {
    Run::new(command(sandbox, words)).done().expect_free()
}

/// A start of the fixture with these options (`-n web`, or `ensure web`) and these words.
pub fn start_command(sandbox: &Sandbox, options: &[&str], server: &[&str]) -> Command {
    let mut command = command(sandbox, options);
    command.arg("--").arg(testbed::fixture_path()).args(server);
    command
}

/// Runs a start to its end.
#[track_caller]
pub fn start(sandbox: &Sandbox, options: &[&str], server: &[&str]) -> Finished {
    Run::new(start_command(sandbox, options, server)).done().expect_free()
}

/// Starts one that is ready, and returns its pid.
#[track_caller]
pub fn ready(sandbox: &Sandbox, options: &[&str], server: &[&str]) -> i32 {
    let options = [options, &["--json"]].concat();
    let run = start(sandbox, &options, server).expect_code(0);
    number(&json(&run)["pid"])
}

/// What a verb printed with `--json`.
#[track_caller]
pub fn json(run: &Finished) -> Value {
    serde_json::from_str(&run.out()).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

/// A pid in JSON.
#[track_caller]
pub fn number(value: &Value) -> i32 {
    value.as_i64().and_then(|number| i32::try_from(number).ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

/// `status --json` and its exit code.
#[track_caller]
pub fn status(sandbox: &Sandbox, name: &str) -> (i32, Value) {
    let run = onready(sandbox, &["status", "--json", name]);
    (run.code.expect("an exit code"), json(&run))
}

/// `status`, asked again and again until the word for the state is this one.
#[track_caller]
pub fn wait_for_state(sandbox: &Sandbox, name: &str, state: &str) -> Value {
    let since = Instant::now();
    loop {
        let (_, seen) = status(sandbox, name);
        if seen["state"] == state {
            return seen;
        }
        assert!(since.elapsed() < LONG, "not {state}: {seen}");
    }
}

/// Stops it; it must go well.
#[track_caller]
pub fn stop(sandbox: &Sandbox, name: &str) -> Value {
    json(&onready(sandbox, &["stop", "--json", name]).expect_code(0))
}

/// The state directory of the sandbox.
pub fn state_path(sandbox: &Sandbox) -> PathBuf {
    sandbox.runtime_dir().join("onready")
}

/// Nothing runs any more; records and logs of stopped servers are what stays, and nothing half done.
#[track_caller]
pub fn end(sandbox: Sandbox) {
    sandbox.allow("run/onready/*.state").allow("run/onready/*.lock").allow("state/onready/*/*");
    sandbox.finish();
}

/// Again and again, for as long as `ONREADY_RACE_SECONDS` says (2).
#[track_caller]
pub fn race(mut round: impl FnMut(u32)) {
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

/// The fixtures of the sandbox that run, none of our own program.
pub fn servers(sandbox: &Sandbox) -> Vec<i32> {
    let is_server = |line: &str| line.contains("/fixture ") && !line.contains("/onready ");
    sandbox.processes().into_iter().filter(|(_, line)| is_server(line)).map(|(pid, _)| pid).collect()
}

/// Whether this test may do what only root may; says so if not.
pub fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: {what} needs root");
    }
    root
}

/// Whether a program is installed; says so if not.
pub fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}
