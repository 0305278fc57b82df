//! The state of servers with a name: what is on record, and who may change it, with many at the same time.

mod claims;
mod directories;
mod logs;
mod unique;

use onready::engine::Identity;
use onready::verbs::state::{Outcome, Record, StateDir};
use std::path::Path;
use std::time::{Duration, Instant};
use testbed::Sandbox;

fn open(sandbox: &Sandbox) -> StateDir {
    StateDir::open(Some(&sandbox.path("state"))).expect("a state directory")
}

/// A record that says "ready" of this very process, which lives.
fn alive(name: &str) -> Record {
    let mut record = Record::new(name, vec!["server".into(), "--flag".into()]);
    record.outcome = Outcome::Ready;
    record.identity = Some(Identity::of(std::process::id() as i32).expect("this process"));
    // What a server has of its caller's environment.
    record.environment = (0..40).map(|n| (format!("VARIABLE_{n}").into(), "x".repeat(60).into())).collect();
    record
}

/// The files in a directory, sorted.
fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
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
