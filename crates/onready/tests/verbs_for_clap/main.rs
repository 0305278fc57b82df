//! `start`, `stop`, `status`, `restart` and `logs` of a program built with the library: the example `verbs`.

mod parsing;
mod races;
mod verbs;

pub use serde_json::Value;
use std::process::Command;
pub use std::time::{Duration, Instant};
pub use testbed::{Finished, Run, Sandbox};

/// Far more than anything here takes; a test that needs it fails.
const LONG: Duration = Duration::from_secs(30);

/// The example `verbs`, on a port that the kernel chooses.
fn command(sandbox: &Sandbox, words: &[&str]) -> Command {
    let test = std::env::current_exe().expect("the path of the running test");
    // target/PROFILE/deps/verbs_for_clap-HASH
    let path = test.ancestors().nth(2).expect("target/PROFILE").join("examples/verbs");
    assert!(path.exists(), "{} is not there: cargo build -p onready --examples --all-features", path.display());
    let mut command = sandbox.command(path);
    command.args(words);
    command
}

#[track_caller]
fn run(sandbox: &Sandbox, words: &[&str]) -> Finished {
    Run::new(command(sandbox, words)).done().expect_free()
}

const START: [&str; 3] = ["start", "--listen", "127.0.0.1:0"];

#[track_caller]
fn json(run: &Finished) -> Value {
    serde_json::from_str(&run.out()).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

#[track_caller]
fn number(value: &Value) -> i32 {
    value.as_i64().and_then(|number| i32::try_from(number).ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

/// `status --json` and its exit code.
#[track_caller]
fn status(sandbox: &Sandbox) -> (i32, Value) {
    let run = run(sandbox, &["status", "--json"]);
    (run.code.expect("an exit code"), json(&run))
}

/// The servers that run: every process of the sandbox, when no launcher does.
fn servers(sandbox: &Sandbox) -> Vec<i32> {
    sandbox.processes().into_iter().map(|(pid, _)| pid).collect()
}

/// Nothing runs any more; the record and the logs of the stopped server are what stays.
#[track_caller]
fn end(sandbox: Sandbox) {
    sandbox.allow("run/onready/*.state").allow("run/onready/*.lock").allow("state/onready/*/*");
    sandbox.finish();
}
