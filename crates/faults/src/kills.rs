//! Signals to the launcher, the server or both at random instants of a start.

use crate::nest::{FACES, Face, Nest, Programs, Seen};
use crate::page::Section;
use crate::pool;
use crate::random::Random;
use crate::verdict::{Ours, Verdict, judge};
use std::time::{Duration, Instant};
use testbed::{Run, Running, send_signal};

const LIMIT: Duration = Duration::from_secs(25);
/// Between a look at the server that finds it alive and the exit of a launcher that had to wait for a processor.
const MOMENT: Duration = Duration::from_millis(250);

/// One attack.
struct Plan {
    face: Face,
    signal: &'static str,
    launcher: bool,
    server: bool,
    after: Duration,
}

/// Runs the campaign.
pub fn run(programs: &Programs, seed: u64, rounds: usize) -> Section {
    let mut lines = vec![
        format!("{rounds} rounds for each face."),
        String::new(),
        "| face | tried | truthful | left over or lied | no such process then | how they ended |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    let mut lies = Vec::new();
    for face in FACES {
        let usual = usual(programs, face);
        let rounds: Vec<usize> = (0..rounds).collect();
        let tally = pool::all(&rounds, 4, |round| attack(programs, &plan(face, usual, seed, *round), *round));
        lines.push(format!(
            "| {} | {} | {} | {} | {} | {} |",
            face.name(),
            tally.tried,
            tally.truthful,
            tally.lies.len(),
            tally.not_reached,
            tally.ends()
        ));
        lies.extend(tally.lies);
    }
    Section { name: "kills", lines, lies }
}

/// How long a start takes while others do the same.
fn usual(programs: &Programs, face: Face) -> Duration {
    let nest = Nest::new(programs);
    let started = Instant::now();
    let _ = nest.run(nest.start(face), LIMIT);
    let took = started.elapsed();
    nest.clear();
    took.clamp(Duration::from_millis(5), Duration::from_millis(100))
}

fn plan(face: Face, usual: Duration, seed: u64, round: usize) -> Plan {
    let mut random = Random::new(seed, round);
    let signal = ["KILL", "TERM", "STOP"][random.below(3)];
    let whom = random.below(3);
    let after = Duration::from_micros(random.below(usual.as_micros() as usize * 6 / 5) as u64);
    Plan { face, signal, launcher: whom != 1, server: whom != 0, after }
}

fn attack(programs: &Programs, plan: &Plan, round: usize) -> (String, Verdict) {
    let whom = match (plan.launcher, plan.server) {
        (true, true) => "both",
        (true, false) => "the launcher",
        _ => "the server",
    };
    let what = format!("{} round {round}: {} to {whom} after {:?}", plan.face.name(), plan.signal, plan.after);
    let nest = Nest::new(programs);
    let running = Run::new(nest.start(plan.face)).limit(LIMIT + LIMIT).start();
    // The instant is the attack, it waits for nothing.
    std::thread::sleep(plan.after);
    let hit = strike(&running, plan);
    let at = Instant::now();
    let hung = !running.wait_exit(LIMIT);
    let took = at.elapsed();
    let pid = running.pid();
    let seen = match hung {
        true => Seen { hung, pid, ..Seen::default() },
        false => Seen::of(&running.done(), pid),
    };
    let verdict = if hit { conclude(&nest, plan, &seen, took) } else { Verdict::NotReached };
    nest.clear();
    (what, verdict)
}

/// Whether anybody was there to be hit.
fn strike(running: &Running, plan: &Plan) -> bool {
    let launcher = running.pid();
    // The server is the launcher's only child, once it is made.
    let children = std::fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).unwrap_or_default();
    let mut targets: Vec<i32> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    targets.truncate(if plan.server { 1 } else { 0 });
    if plan.server && targets.is_empty() {
        return false;
    }
    if plan.launcher {
        targets.insert(0, launcher);
    }
    let hit: Vec<bool> = targets.iter().map(|pid| send_signal(*pid, plan.signal)).collect();
    if plan.signal == "STOP" {
        std::thread::sleep(Duration::from_millis(3));
        for pid in &targets {
            send_signal(*pid, "CONT");
        }
    }
    hit.contains(&true)
}

fn conclude(nest: &Nest, plan: &Plan, seen: &Seen, took: Duration) -> Verdict {
    let deadly = plan.signal != "STOP";
    // It was alive at the launcher's last look.
    if seen.code == Some(0) && deadly && plan.server && took < MOMENT && nest.ask().is_err() {
        return Verdict::True("server hit in the moment of the answer");
    }
    if !deadly && seen.code != Some(0) {
        return Verdict::Lie(format!("exit {:?} after a pause: {:?}", seen.code, seen.stderr));
    }
    let ours = Ours {
        killed_launcher: plan.launcher
            && seen.signal.is_some_and(|signal| [libc::SIGKILL, libc::SIGTERM].contains(&signal)),
        ..Ours::default()
    };
    judge(nest, plan.face, seen, ours)
}
