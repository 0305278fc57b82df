//! Starts and stops in a row: descriptors, memory, files and processes of the machine as before.

use crate::nest::{FACES, Face, Nest, Programs};
use crate::page::Section;
use std::path::Path;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(25);
/// The first rounds make what stays: directories, logs, locks.
const WARM_UP: usize = 10;

/// What can grow.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Machine {
    descriptors: usize,
    files: usize,
    processes: usize,
    notify_sockets: usize,
}

impl Machine {
    fn now(nest: &Nest) -> Machine {
        let entries = |path: &str| std::fs::read_dir(path).map_or(0, Iterator::count);
        Machine {
            descriptors: entries("/proc/self/fd"),
            files: count(nest.sandbox.dir()),
            processes: nest.sandbox.processes().len(),
            notify_sockets: entries("/run/onready-notify"),
        }
    }
}

fn count(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { 1 + count(&entry.path()) } else { 1 }).sum()
}

/// Free memory of the machine in MiB.
fn available() -> i64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<i64>().ok()).unwrap_or(0) / 1024
}

/// Runs the campaign.
pub fn run(programs: &Programs, rounds: usize) -> Section {
    let mut lines = vec![
        "| face | starts and stops | failed | ms each | descriptors | files | processes | notify sockets | free memory (MiB, of the whole machine) |".to_owned(),
        "|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    let mut lies = Vec::new();
    for face in FACES {
        let nest = Nest::new(programs);
        let failed = (0..WARM_UP).filter_map(|_| round(&nest, programs, face).err()).count();
        let (before, memory, started) = (Machine::now(&nest), available(), Instant::now());
        let failures: Vec<String> = (0..rounds).filter_map(|_| round(&nest, programs, face).err()).collect();
        let each = started.elapsed().as_secs_f64() * 1000.0 / rounds.max(1) as f64;
        let (after, memory_after) = (Machine::now(&nest), available());
        let grown = |a: usize, b: usize| format!("{a} → {b}");
        lines.push(format!(
            "| {} | {rounds} | {} | {each:.1} | {} | {} | {} | {} | {memory} → {memory_after} |",
            face.name(),
            failures.len() + failed,
            grown(before.descriptors, after.descriptors),
            grown(before.files, after.files),
            grown(before.processes, after.processes),
            grown(before.notify_sockets, after.notify_sockets),
        ));
        lies.extend(failures.into_iter().take(10));
        if after.files > before.files || after.processes > before.processes || after.descriptors > before.descriptors {
            lies.push(format!("{}: grown from {before:?} to {after:?}", face.name()));
        }
        nest.clear();
    }
    Section { name: "soak", lines, lies }
}

fn round(nest: &Nest, programs: &Programs, face: Face) -> Result<(), String> {
    let seen = nest.run(nest.start(face), LIMIT);
    if seen.code != Some(0) {
        nest.sandbox.kill_all();
        return Err(format!("{}: exit {:?} {}", face.name(), seen.code, seen.stderr));
    }
    let stopped = match face {
        Face::Library => stop_by_pid(nest),
        Face::Program => {
            let mut stop = nest.sandbox.command(programs.onready());
            stop.args(["stop", "web"]);
            nest.run(stop, LIMIT).code == Some(0)
        }
    };
    if stopped { Ok(()) } else { Err(format!("{}: cannot be stopped", face.name())) }
}

fn stop_by_pid(nest: &Nest) -> bool {
    let text = std::fs::read_to_string(nest.pid_file()).unwrap_or_default();
    let Ok(pid) = text.trim().parse() else { return false };
    testbed::send_signal(pid, "TERM") && testbed::wait_gone(pid, LIMIT)
}
